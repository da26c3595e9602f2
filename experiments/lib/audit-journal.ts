/**
 * The audit's journal: a file of JSON lines, a header and one line for each finished comparison, written as it finishes. A
 * process that is killed leaves whole lines and at most one broken one at the end, which the next run cuts off.
 */
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../../src/errors.js';
import { errorMessage, writeFileAtomic } from '../../src/files.js';

/** Ten million tokens have about a hundred thousand lines of 500 bytes. */
const maxJournalBytes = 2 ** 28;

const count = z.int().min(0);

/** One comparison of a speculative output with the autoregressive one. */
export const unitRecordSchema = z.strictObject({
  /** Case and place in it; with the header's seed they say everything else (audit-plan.ts). */
  unit: z.string().regex(/^\d+\.\d+$/),
  model: z.string().min(1),
  precision: z.enum(['fp32', 'int8', 'int4']),
  /** Of the model's session; bits are promised for one number of threads. */
  threads: count,
  dataset: z.string().min(1),
  prompt: z.string(),
  prompt_tokens: count,
  sampling: z.enum(['greedy', 'gumbel']),
  method: z.enum(['skip', 'lookup', 'cascade']),
  draft_exit: z.enum(['fixed', 'threshold', 'adaptive', 'cost']).nullable(),
  draft_length: count.nullable(),
  /** The draft's mask, a digit per sublayer, 1 = skipped; null without one. */
  mask: z
    .string()
    .regex(/^[01]+$/)
    .nullable(),
  fallback: z.boolean(),
  /** Tokens of the autoregressive output, each of which was compared. */
  new_tokens: count,
  proposed_tokens: count,
  accepted_tokens: count,
  /** Whether passes of any length agree in every bit here (the self-check): then every divergence is a defect. */
  exact: z.boolean(),
  divergence: z
    .strictObject({
      position: count,
      margin: z.number().nullable(),
      kind: z.enum(['near-tie', 'defect']),
    })
    .nullable(),
});
export type UnitRecord = z.infer<typeof unitRecordSchema>;

export const headerSchema = z.strictObject({
  journal: z.literal('sspec-audit'),
  version: z.literal(2),
  seed: z.int(),
  models: z.record(z.string(), z.strictObject({ weights_hash: z.string(), context_length: count })),
  /** Prompts and their hashes. */
  datasets: z.record(z.string(), z.string()),
  cpu: z.string(),
  onnxruntime: z.string(),
  sspec: z.string(),
});
/** What must be the same for one count to be made of several runs. */
export type AuditHeader = z.infer<typeof headerSchema>;

/** An open journal. */
export interface AuditJournal {
  /** Those of earlier runs, and those appended since. */
  readonly records: readonly UnitRecord[];
  append(record: UnitRecord): void;
}

/**
 * Opens a journal or makes one.
 * @throws InputError when it belongs to another plan, model or machine, or a whole line of it is damaged.
 */
export function openAuditJournal(path: string, header: AuditHeader): AuditJournal {
  const records: UnitRecord[] = [];
  const known = existsSync(path) ? wholeLines(path) : [];
  if (known.length === 0) {
    writeFileAtomic(path, `${JSON.stringify(header)}\n`);
  } else {
    const first = parseLine(headerSchema, known[0], path, 1);
    if (!isDeepStrictEqual(first, header)) {
      const field = Object.keys(header).find(
        (key) => !isDeepStrictEqual(Reflect.get(first, key), Reflect.get(header, key)),
      );
      throw new InputError(
        `${path}: field "${field}" is of another audit (another model, machine or version); give another --state, or remove the file to start anew.`,
      );
    }
    for (const [i, line] of known.entries())
      if (i > 0) records.push(parseLine(unitRecordSchema, line, path, i + 1));
  }
  return {
    records,
    append(record) {
      appendFileSync(path, `${JSON.stringify(record)}\n`);
      records.push(record);
    },
  };
}

/** The lines that end in a newline; what stands after the last one is cut off the file. */
function wholeLines(path: string): string[] {
  const { size } = statSync(path);
  if (size > maxJournalBytes)
    throw new InputError(`${path} has ${size} bytes; an audit may have ${maxJournalBytes}.`);
  const bytes = readFileSync(path);
  const whole = bytes.lastIndexOf('\n') + 1;
  if (whole < size) truncateSync(path, whole);
  return bytes.toString('utf8', 0, whole).split('\n').slice(0, -1);
}

function parseLine<T>(schema: z.ZodType<T>, text: string, path: string, line: number): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    const why = issue ? `${issue.path.join('.')}: ${issue.message}` : errorMessage(error);
    throw new InputError(
      `${path}, line ${line} is damaged (${why}); restore the file, or remove it to start anew.`,
    );
  }
}
