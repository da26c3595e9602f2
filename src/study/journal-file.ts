import { readFileSync, statSync } from 'node:fs';
import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';
import { parseJson } from '../json-file.js';
import { damagedRecord } from './log.js';

/** Longest line of a journal, in bytes, its newline included. */
export const MAX_LINE_BYTES = 2 ** 20;
/** Largest journal, in bytes. */
export const MAX_JOURNAL_BYTES = 2 ** 28;

const NEWLINE = 0x0a;

/** What every header begins with, also one whose writing was interrupted. */
export const JOURNAL_BEGINNING = '{"schema":"sspec-study"';

/**
 * The records of a journal, one a line. A last line without a newline, whose writing was interrupted, is left out.
 * @returns undefined when there is no file, or not even a whole header in it (creation was interrupted).
 * @throws InputError when it cannot be read or is too large, and, as its lines are gone through, naming one that is too long or
 *   not JSON.
 */
export function readJournal(path: string): Iterable<unknown> | undefined {
  const bytes = readBytes(path);
  if (bytes === undefined) return undefined;
  if (bytes.includes(NEWLINE)) return recordsOf(bytes, path);
  const beginning = bytes.toString('utf8', 0, JOURNAL_BEGINNING.length);
  if (!JOURNAL_BEGINNING.startsWith(beginning)) throw new InputError(`${path} is not a study.`);
  return undefined;
}

/** Length of a journal's whole lines: what follows is a line whose writing was interrupted. */
export function wholeBytes(path: string): number {
  return (readBytes(path)?.lastIndexOf(NEWLINE) ?? -1) + 1;
}

function* recordsOf(bytes: Buffer, path: string): Generator<unknown, void> {
  const whole = bytes.lastIndexOf(NEWLINE) + 1;
  for (let start = 0, line = 1; start < whole; line++) {
    const end = bytes.indexOf(NEWLINE, start) + 1;
    if (end - start > MAX_LINE_BYTES)
      throw new InputError(`${path}:${line}: the line is longer than ${MAX_LINE_BYTES} bytes.`);
    yield parseLine(bytes.toString('utf8', start, end - 1), `${path}:${line}`);
    start = end;
  }
}

function readBytes(path: string): Buffer | undefined {
  try {
    const { size } = statSync(path);
    if (size > MAX_JOURNAL_BYTES)
      throw new InputError(`${path} has ${size} bytes; a study may have ${MAX_JOURNAL_BYTES}.`);
    return readFileSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read the study ${path}: ${errorMessage(error)}`);
  }
}

function parseLine(text: string, place: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw damagedRecord(place, errorMessage(error));
  }
}
