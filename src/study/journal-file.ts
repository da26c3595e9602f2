import { readFileSync, statSync } from 'node:fs';
import type { z } from 'zod';
import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';
import { StudyEvent, StudyHeader } from './events.js';
import { StudyState } from './state.js';

/** Longest line of a journal, in bytes, its newline included. */
export const MAX_LINE_BYTES = 2 ** 20;
/** Largest journal, in bytes. */
export const MAX_JOURNAL_BYTES = 2 ** 28;

const NEWLINE = 0x0a;

/** What a journal file holds. */
export interface JournalContent {
  readonly header: StudyHeader;
  readonly events: StudyEvent[];
  /** Bytes up to and with the last newline: what follows is a line whose writing was interrupted. */
  readonly wholeBytes: number;
  readonly order: StudyState;
}

/** What every header begins with, also one whose writing was interrupted. */
export const JOURNAL_BEGINNING = '{"schema":"sspec-study"';

/**
 * Reads and checks a journal. A last line without a newline is left out.
 * @returns undefined when there is no file, or not even a whole header in it (creation was interrupted).
 * @throws InputError when a whole line is damaged (the message names it) or a limit is exceeded.
 */
export function readJournal(path: string): JournalContent | undefined {
  const bytes = readBytes(path);
  if (bytes === undefined) return undefined;
  const wholeBytes = bytes.lastIndexOf(NEWLINE) + 1;
  if (wholeBytes === 0) {
    const beginning = bytes.toString('utf8', 0, JOURNAL_BEGINNING.length);
    if (!JOURNAL_BEGINNING.startsWith(beginning)) throw new InputError(`${path} is not a study.`);
    return undefined;
  }
  let header: StudyHeader | undefined;
  let order = new StudyState(0);
  const events: StudyEvent[] = [];
  for (let start = 0, line = 1; start < wholeBytes; line++) {
    const end = bytes.indexOf(NEWLINE, start) + 1;
    if (end - start > MAX_LINE_BYTES)
      throw new InputError(`${path}:${line}: the line is longer than ${MAX_LINE_BYTES} bytes.`);
    const text = bytes.toString('utf8', start, end - 1);
    if (header === undefined) {
      header = parseLine(StudyHeader, text, path, line);
      order = new StudyState(header.bits);
    } else {
      const event = parseLine(StudyEvent, text, path, line);
      const fault = order.fault(event);
      if (fault) throw damaged(path, line, fault);
      order.accept(event);
      events.push(event);
    }
    start = end;
  }
  return header && { header, events, wholeBytes, order };
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

function parseLine<T>(schema: z.ZodType<T>, text: string, path: string, line: number): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(path, line, errorMessage(error));
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damaged(
    path,
    line,
    `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`,
  );
}

function damaged(path: string, line: number, reason: string): InputError {
  return new InputError(
    `${path}:${line}: the study's journal is damaged (${reason}); restore the file, or start a study of another name.`,
  );
}
