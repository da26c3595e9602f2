/**
 * The audit: speculative output against autoregressive output, token by token, over a million tokens, or as many as `--tokens`
 * says, of seeded random combinations of model, precision, prompt, context length, mask, method, exit rule, draft length and
 * sampling. Greedy decoding and Gumbel coupling are audited; with maximal coupling outputs keep only their distribution, which is no
 * matter of single tokens (test/decoding/sampling-distribution.test.ts holds it against the exact one).
 *
 * Finished cases are kept in audit.jsonl in the state folder, a journal like a study's, so it may be killed at any time and
 * started again, with another number of threads, too. At the end the counts go to audit.json; `--tokens 1` writes those of what
 * was compared so far. The exit code is 1 when there is a defect.
 *
 *     node --import ./test/register-typescript.mjs experiments/audit.ts [--tokens 1000000] [--threads 1] [--longest 384]
 *       [--output results] [--state .sspec/audit]
 *
 * As many processes compare as have cores for their `--threads`: alone on a core each does more than all do together on one pass.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { on } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { exitCodeOf } from '../src/cli/main.js';
import { physicalCores } from '../src/engine/cores.js';
import { InputError } from '../src/errors.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { createProgress, type Progress } from '../src/reporting/progress.js';
import { journalStorage } from '../src/study/journal.js';
import type { OpenStudy } from '../src/study/storage.js';
import { type UnitRecord, unitRecord } from './lib/audit-case.js';
import { AUDIT_SEED, LONGEST_OUTPUT, STRETCH_CASES } from './lib/audit-plan.js';
import { summariseAudit } from './lib/audit-summary.js';
import { parseFlags } from './lib/flags.js';
import { writeJson } from './lib/output.js';
import { writeResultsReadme } from './lib/readme.js';

const worker = fileURLToPath(new URL('./lib/audit-worker.ts', import.meta.url));
const caseRecords = z.array(unitRecord).min(1);
/** What a process says: first what it audits, then the records of each case that it was told. */
const report = z.union([
  z.strictObject({ context: z.record(z.string(), z.json()) }),
  z.strictObject({ records: caseRecords }),
]);

async function audit(argv: string[]): Promise<void> {
  const numbers = { tokens: 1e6, threads: 1, longest: LONGEST_OUTPUT };
  const texts = { output: 'results', state: '.sspec/audit' };
  const { tokens: wanted, threads, longest, output, state } = parseFlags(argv, numbers, texts);
  if (threads < 1 || longest < 1) throw new InputError('--threads and --longest are 1 or more.');
  const environment = describeEnvironment({ threads, precision: 'fp32, int8, int4' });
  const records: UnitRecord[] = [];
  let journal: Promise<OpenStudy> | undefined;
  let progress: Progress | undefined;
  let stretch = 0;
  const compared = () => records.reduce((sum, record) => sum + record.new_tokens, 0);
  const open = async (context: Record<string, z.core.util.JSONType>) => {
    const start = { sampler: 'audit', seed: AUDIT_SEED, bits: 2, context: { ...context, longest } };
    const opened = await journalStorage(state).open('audit', start, { resume: true });
    for (const event of opened.events)
      if (event.type === 'note') records.push(...caseRecords.parse(event.value));
    const shown = { label: 'Audit', total: wanted, done: compared(), unit: 'tokens', quiet: false };
    progress = createProgress(shown);
    return opened;
  };
  /** The next cases in a row that are not done; a session is loaded for each such stretch. */
  const nextStretch = (): number[] => {
    const done = new Set(records.map(({ unit }) => Number.parseInt(unit, 10)));
    for (;;) {
      const first = STRETCH_CASES * stretch++;
      const cases = Array.from({ length: STRETCH_CASES }, (_, i) => first + i);
      const left = cases.filter((index) => !done.has(index));
      if (left.length > 0) return left;
    }
  };
  const drive = async (child: ChildProcess) => {
    let cases: number[] = [];
    for await (const [message] of on(child, 'message', { close: ['exit'] })) {
      const told = report.parse(message);
      if ('context' in told) {
        journal ??= open(told.context);
        await journal;
      } else {
        await (await journal)!.append({ type: 'note', key: 'case', value: told.records });
        records.push(...told.records);
        progress?.update(compared());
        for (const record of told.records)
          if (record.divergence) process.stderr.write(`${JSON.stringify(record)}\n`);
      }
      if (compared() >= wanted) return;
      if (cases.length === 0) cases = nextStretch();
      child.send(cases.shift()!);
    }
    throw new Error('A process of the audit ended before its work; what was compared is kept.');
  };

  const children = Array.from(
    { length: Math.max(1, Math.floor(physicalCores() / threads)) },
    (_, i) => fork(worker, [join(state, 'models', String(i)), String(threads), String(longest)]),
  );
  try {
    await Promise.all(children.map(drive));
  } finally {
    for (const child of children) child.kill();
    progress?.stop();
    await (await journal)?.close();
  }
  const summary = summariseAudit(records);
  const { models } = (await journal)!.header.context;
  writeJson(output, 'audit', { seed: AUDIT_SEED, models, ...summary, environment });
  await writeResultsReadme(output);
  const { total, by } = summary;
  console.table({ total, ...by.precision, ...by.draft_exit });
  if (total.defects > 0) process.exitCode = 1;
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => audit(argv));
