import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import { ROW_LIMITS, readLines } from '../datasets/rows.js';
import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';
import { parseFields, parseJson } from '../json-file.js';

/** Read from the beginning of a samples.jsonl; the first repetition of what is shown lies there. */
const MAX_BYTES = 2 ** 25;

const text = z.string().max(1_000_000);
const count = z.int().min(0);
const counts = z.array(count).max(100_000).readonly();

const sample = z
  .object({
    dataset: text,
    prompt: text,
    prompt_text: text.nullable().default(null),
    method: text,
    profile: text.nullable(),
    repetition: count,
    new_tokens: count,
    decode_seconds: z.number().min(0),
    target_passes: count,
    proposed_tokens: count,
    accepted_tokens: count,
    text: text.nullable(),
    pieces: z.array(text).max(100_000).readonly().nullable().default(null),
    rounds: z.object({ drafted: counts, accepted: counts }),
  })
  .refine(({ pieces, new_tokens }) => pieces === null || pieces.length === new_tokens, {
    message: 'it must have new_tokens elements',
    path: ['pieces'],
  })
  .refine(
    ({ rounds: { drafted, accepted } }) =>
      drafted.length === accepted.length && accepted.every((n, i) => n <= drafted[i]!),
    {
      message: 'it must have a number up to that of rounds.drafted for each round',
      path: ['rounds', 'accepted'],
    },
  );

/** One generation as samples.jsonl tells it; the texts are null where the file does not have them. */
export type RecordedSample = z.infer<typeof sample>;

const timing = z.object({
  dataset: text,
  prompt: text,
  prompt_text: text.nullable().default(null),
  turn: z.int().min(1).default(1),
  method: text,
  profile: text.nullable(),
  repetition: count,
  new_tokens: count,
  decode_seconds: z.number().min(0),
});

/** How long one generation took, and of what. */
export type RecordedTiming = z.infer<typeof timing>;

/**
 * Reads how long every generation of a samples.jsonl took, a line at a time.
 * @returns null where there is no such file.
 * @throws InputError when it cannot be read, is too large, or a line (the message names it) does not fit.
 */
export function readTimings(file: string): RecordedTiming[] | null {
  if (!existsSync(file)) return null;
  const timings: RecordedTiming[] = [];
  const form = { wanted: 'samples are a JSON object per line', refusesArray: true };
  let line = 0;
  for (const bytes of readLines(file, () => {}, ROW_LIMITS, form)) {
    const place = `${file}:${++line}`;
    if (line > ROW_LIMITS.rows)
      throw new InputError(`${file} has more than ${ROW_LIMITS.rows} lines.`);
    timings.push(parseFields(timing, parseLine(bytes.toString('utf8'), place), place));
  }
  return timings;
}

/**
 * Reads the first repetition of a samples.jsonl, of a large file as much as lies in its first 32 MiB.
 * @returns none where there is no such file.
 * @throws InputError when it cannot be read, or a line (the message names it) does not fit.
 */
export function readFirstSamples(file: string): RecordedSample[] {
  const lines = readBeginning(file).split('\n');
  // The last one is empty, or cut off.
  lines.pop();
  return lines
    .map((line, i) => parseFields(sample, parseLine(line, `${file}:${i + 1}`), `${file}:${i + 1}`))
    .filter(({ repetition }) => repetition === 0);
}

function parseLine(line: string, place: string): unknown {
  try {
    return parseJson(line);
  } catch (error) {
    throw new InputError(`${place}: the line is not JSON (${errorMessage(error)}).`);
  }
}

function readBeginning(file: string): string {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    const bytes = Buffer.alloc(MAX_BYTES);
    let length = 0;
    for (let read = -1; read !== 0 && length < MAX_BYTES; length += read)
      read = readSync(fd, bytes, length, MAX_BYTES - length, length);
    return bytes.toString('utf8', 0, length);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw new InputError(`Cannot read ${file}: ${errorMessage(error)}.`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
