/**
 * The audit: speculative output against autoregressive output, token by token, over a million tokens of seeded random
 * combinations of model, precision, prompt, context length, mask, method, exit rule, draft length and sampling. Greedy decoding
 * and Gumbel coupling are audited; with maximal coupling outputs keep only their distribution, which is no matter of single
 * tokens (test/decoding/sampling-distribution.test.ts holds it against the exact one).
 *
 * Finished comparisons are kept in audit.jsonl in the state folder, so it may be killed at any time and started again, with
 * another number of threads, too. At the end the counts go to audit.json; `--tokens 1` writes those of what was compared so far.
 * The exit code is 1 when there is a defect.
 *
 *     node --import ./test/register-typescript.mjs experiments/audit.ts [--tokens 1000000] [--threads 1] [--output results]
 *       [--state .sspec/audit]
 *
 * As many processes compare as have cores for their `--threads`: alone on a core each does more than all do together on one pass.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { on } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { exitCodeOf } from '../src/cli/main.js';
import { physicalCores } from '../src/engine/cores.js';
import { InputError } from '../src/errors.js';
import { writeFileAtomic } from '../src/files.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { createProgress, type Progress } from '../src/reporting/progress.js';
import { type AuditHeader, type AuditJournal, openAuditJournal } from './lib/audit-journal.js';
import { AUDIT_SEED, isOfStretch, type Order, reportSchema } from './lib/audit-protocol.js';
import { summariseAudit } from './lib/audit-summary.js';
import { writeResultsReadme } from './lib/results-readme.js';

const worker = fileURLToPath(new URL('./lib/audit-worker.ts', import.meta.url));

interface AuditFlags {
  readonly wanted: number;
  readonly threads: number;
  readonly output: string;
  readonly state: string;
}

async function audit({ wanted, threads, output, state }: AuditFlags): Promise<void> {
  const environment = describeEnvironment({ threads, precision: 'fp32, int8, int4' });
  let journal: AuditJournal | undefined;
  let progress: Progress | undefined;
  let tokens = 0;
  let stretch = 0;
  /** The first process that is ready says what is audited. */
  let models: AuditHeader['models'] = {};
  const begin = (header: AuditHeader) => {
    models = header.models;
    if (journal) return journal;
    journal = openAuditJournal(join(state, 'audit.jsonl'), header);
    tokens = journal.records.reduce((sum, record) => sum + record.new_tokens, 0);
    const shown = { label: 'Audit', total: wanted, done: tokens, unit: 'tokens', quiet: false };
    progress = createProgress(shown);
    return journal;
  };
  const nextOrder = ({ records }: AuditJournal): Order | undefined => {
    if (tokens >= wanted) return undefined;
    const own = records.filter(({ unit }) => isOfStretch(unit, stretch));
    return { stretch: stretch++, done: own.map(({ unit }) => unit) };
  };
  const drive = async (child: ChildProcess) => {
    for await (const [message] of on(child, 'message', { close: ['exit'] })) {
      const report = reportSchema.parse(message);
      if (report.kind === 'record') {
        const { record } = report;
        journal?.append(record);
        tokens += record.new_tokens;
        progress?.update(tokens);
        if (record.divergence) process.stderr.write(`${JSON.stringify(record)}\n`);
        if (tokens >= wanted) return;
        continue;
      }
      const order = nextOrder(report.kind === 'ready' ? begin(report.header) : journal!);
      if (!order) return;
      child.send(order);
    }
    throw new Error('A process of the audit ended before its work; what was compared is kept.');
  };

  const children = Array.from(
    { length: Math.max(1, Math.floor(physicalCores() / threads)) },
    (_, i) => fork(worker, [join(state, 'models', String(i)), String(threads)]),
  );
  try {
    await Promise.all(children.map(drive));
  } finally {
    for (const child of children) child.kill();
    progress?.stop();
  }
  const summary = {
    ...{ seed: AUDIT_SEED, models },
    ...summariseAudit(journal!.records),
    environment,
  };
  writeFileAtomic(join(output, 'audit.json'), `${JSON.stringify(summary, null, 2)}\n`);
  await writeResultsReadme(output);
  const { total, by } = summary;
  console.table({ total, ...by.precision, ...by.draft_exit });
  if (total.defects > 0) process.exitCode = 1;
}

/** @throws InputError for a number that is none. */
function parseFlags(argv: string[]): AuditFlags {
  const { values } = parseArgs({
    args: argv,
    options: {
      tokens: { type: 'string', default: '1000000' },
      threads: { type: 'string', default: '1' },
      output: { type: 'string', default: 'results' },
      state: { type: 'string', default: '.sspec/audit' },
    },
  });
  const { output, state } = values;
  const whole = (name: 'tokens' | 'threads') => {
    const number = Number(values[name]);
    if (Number.isSafeInteger(number) && number >= 1) return number;
    throw new InputError(`--${name} is "${values[name]}": give a whole number of 1 or more.`);
  };
  return { wanted: whole('tokens'), threads: whole('threads'), output, state };
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => audit(parseFlags(argv)));
