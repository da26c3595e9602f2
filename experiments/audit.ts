/**
 * The audit: speculative output against autoregressive output, token by token, over a million tokens of seeded random
 * combinations of model, precision, prompt, context length, mask, method, exit rule, draft length and sampling. Greedy decoding
 * and Gumbel coupling are audited; with maximal coupling outputs keep only their distribution, which is no matter of single
 * tokens (test/decoding/sampling-distribution.test.ts holds it against the exact one).
 *
 * Finished comparisons are kept in audit.jsonl in the state folder, so it may be killed at any time and started again. audit.json
 * has the counts, written anew as they grow. The exit code is 1 when there is a defect.
 *
 *     node --import ./test/register-typescript.mjs experiments/audit.ts [--tokens 1000000] [--output results] [--state .sspec/audit]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodeOf } from '../src/cli/main.js';
import { physicalCores } from '../src/engine/cores.js';
import { Engine } from '../src/engine/engine.js';
import { selfCheck } from '../src/engine/self-check.js';
import { InputError } from '../src/errors.js';
import { writeFileAtomic } from '../src/files.js';
import type { CompiledModel } from '../src/graph/compile.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { createProgress } from '../src/reporting/progress.js';
import { type AuditedModel, runCase } from './lib/audit-case.js';
import { type AuditHeader, openAuditJournal } from './lib/audit-journal.js';
import { type AuditModels, loadAuditModels, modelOfStretch } from './lib/audit-models.js';
import { planCase } from './lib/audit-plan.js';
import { summariseAudit } from './lib/audit-summary.js';

const seed = 0;
/** Cases in a row that run on one session; loading one takes as long as a few hundred tokens. */
const stretchCases = 2;

interface AuditFlags {
  readonly wanted: number;
  readonly output: string;
  readonly state: string;
}

async function audit({ wanted, output, state }: AuditFlags): Promise<void> {
  const threads = physicalCores();
  let loaded: (AuditedModel & { readonly compiled: CompiledModel }) | undefined;
  try {
    const models = await loadAuditModels(join(state, 'models'));
    const journal = openAuditJournal(join(state, 'audit.jsonl'), headerOf(models, threads));
    const done = new Set(journal.records.map(({ unit }) => unit));
    let tokens = journal.records.reduce((sum, record) => sum + record.new_tokens, 0);
    const environment = describeEnvironment({ threads, precision: 'fp32, int8, int4' });
    const summarise = () => {
      const summary = { seed, ...summariseAudit(journal.records), environment };
      writeFileAtomic(join(output, 'audit.json'), `${JSON.stringify(summary, null, 2)}\n`);
      return summary;
    };
    const shown = { label: 'Audit', total: wanted, done: tokens, unit: 'tokens', quiet: false };
    const progress = createProgress(shown);
    for (let index = 0; tokens < wanted; index++) {
      const { model, precision } = modelOfStretch(models, Math.floor(index / stretchCases));
      const plan = planCase(seed, index, model);
      if (plan.units.every(({ id }) => done.has(id))) continue;
      const compiled = model.compiled[precision];
      if (loaded?.compiled !== compiled) {
        await loaded?.engine.close();
        loaded = { compiled, ...(await load(model.name, compiled, threads)) };
        summarise();
      }
      for await (const record of runCase(loaded, plan, done)) {
        journal.append(record);
        tokens += record.new_tokens;
        progress.update(tokens);
        if (record.divergence) process.stderr.write(`${JSON.stringify(record)}\n`);
        if (tokens >= wanted) break;
      }
    }
    progress.stop();
    const { total, by } = summarise();
    console.table({ total, ...by.precision, ...by.draft_exit });
    if (total.defects > 0) process.exitCode = 1;
  } finally {
    await loaded?.engine.close();
  }
}

async function load(name: string, compiled: CompiledModel, threads: number): Promise<AuditedModel> {
  const engine = await Engine.load(compiled, { threads });
  const cache = engine.createCache(engine.config.contextLength);
  const { exact } = await selfCheck(engine);
  return { name, engine, cache, exact };
}

function headerOf(models: AuditModels, threads: number): AuditHeader {
  const { cpu, onnxruntime, sspec } = describeEnvironment({ threads, precision: '' });
  const identities = [models.bundled, ...models.miniatures].map((model) => {
    const { weightsHash: weights_hash } = model.compiled.int8;
    return [model.name, { weights_hash, context_length: model.contextLength }];
  });
  return {
    journal: 'sspec-audit',
    version: 1,
    seed,
    models: Object.fromEntries(identities),
    datasets: { ...models.datasets },
    ...{ cpu, threads, onnxruntime, sspec },
  };
}

/** @throws InputError for a number of tokens that is none. */
function parseFlags(argv: string[]): AuditFlags {
  const { values } = parseArgs({
    args: argv,
    options: {
      tokens: { type: 'string', default: '1000000' },
      output: { type: 'string', default: 'results' },
      state: { type: 'string', default: '.sspec/audit' },
    },
  });
  const { tokens, output, state } = values;
  const wanted = Number(tokens);
  if (Number.isSafeInteger(wanted) && wanted >= 1) return { wanted, output, state };
  throw new InputError(`--tokens is "${tokens}": give a whole number of 1 or more.`);
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => audit(parseFlags(argv)));
