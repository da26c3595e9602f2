/**
 * The file of an evaluation that is under way: what it was begun with, then every generation as it ends, a line each. It is there
 * until the results are; killed at any moment, the evaluation goes on from it.
 */
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { parseFields, parseJson } from '../json-file.js';
import { acquireLock } from '../study/lock.js';
import { LockedError } from '../study/log.js';
import { sampleRecord, UNFINISHED } from './output.js';
import { type PastSample, pastSampleSchema } from './past-samples.js';
import type { Sample } from './run.js';
import { type EvaluationStart, startFault, startSchema } from './start.js';

/** Largest file that is gone on with: a hundred thousand generations of some hundred tokens. */
const MAX_BYTES = 2 ** 29;

const header = z.object({
  schema: z.literal('sspec-evaluation'),
  version: z.literal(1),
  start: startSchema,
});
/** A run that measured a part. */
const sitting = z.object({
  sitting: z.iso.datetime(),
  warnings: z.array(z.string().max(10_000)).max(1000),
});
type Sitting = z.infer<typeof sitting>;

/** An evaluation under way, which this process alone may write. */
export interface UnfinishedEvaluation {
  /** What earlier runs measured, in order. */
  readonly past: readonly PastSample[];
  /** Those runs. */
  readonly sittings: readonly Sitting[];
  /** Keeps a generation. Where it cannot be written (a full disk), this and those after it are not kept, and measuring goes on. */
  append(sample: Sample): void;
  /** Whether every generation could be kept. */
  keepsAll(): boolean;
  /** Lets others write; the last call. The file goes where nothing was measured, or where the results are written. */
  close(results: 'written' | 'unwritten'): void;
}

/**
 * Begins the file of an evaluation or, with `resume`, goes on with the one that is there.
 * @param warnings that this run began with.
 * @throws InputError when the folder's was begun with something else, is damaged, is being written, or cannot be written.
 */
export function openUnfinished(
  directory: string,
  start: EvaluationStart,
  { resume, warnings }: { readonly resume: boolean; readonly warnings: readonly string[] },
): UnfinishedEvaluation {
  const path = join(directory, UNFINISHED);
  const release = takeLock(directory, path);
  let fd: number | undefined;
  let isNew = true;
  try {
    const found = resume ? readUnfinished(path) : undefined;
    const fault = found && startFault(found.start, start);
    if (fault !== undefined)
      throw new InputError(
        `The evaluation in ${directory} ${fault}: give the same to go on with it, or name another folder.`,
      );
    isNew = found === undefined;
    const file = openSync(path, found ? 'r+' : 'w');
    fd = file;
    ftruncateSync(file, found?.bytes ?? 0);
    let at = found?.bytes ?? 0;
    const write = (record: unknown) => {
      const line = Buffer.from(`${JSON.stringify(record)}\n`);
      for (let done = 0; done < line.length; )
        done += writeSync(file, line, done, undefined, at + done);
      at += line.length;
    };
    if (!found) write({ schema: 'sspec-evaluation', version: 1, start });
    write({ sitting: new Date().toISOString(), warnings });
    let isFull = false;
    const past = found?.past ?? [];
    let isEmpty = past.length === 0;
    return {
      past,
      sittings: found?.sittings ?? [],
      append(sample) {
        if (isFull) return;
        try {
          // Not to the disk itself, whose work would go on beside the next generation: only a machine that fails loses some.
          write(sampleRecord(sample, null));
          isEmpty = false;
        } catch {
          isFull = true;
        }
      },
      keepsAll: () => !isFull,
      close(results) {
        closeSync(file);
        if (isEmpty || results === 'written') rmSync(path, { force: true });
        release();
      },
    };
  } catch (error) {
    if (fd !== undefined) {
      closeSync(fd);
      if (isNew) rmSync(path, { force: true });
    }
    release();
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot write ${path}: ${errorMessage(error)}`);
  }
}

function takeLock(directory: string, path: string): () => void {
  try {
    return acquireLock(`${path}.lock`);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    throw new InputError(
      `${error.holder} is measuring into ${directory}: wait for it, or name another folder.`,
    );
  }
}

/** undefined where there is none, or none with a whole header. */
function readUnfinished(path: string) {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  if (size > MAX_BYTES)
    throw new InputError(
      `${path} has ${size} bytes; an unfinished evaluation may have ${MAX_BYTES}.`,
    );
  const bytes = readFileSync(path);
  const past: PastSample[] = [];
  const sittings: Sitting[] = [];
  let start: EvaluationStart | undefined;
  let from = 0;
  // What follows the last newline is a line whose writing was interrupted.
  for (let line = 1; ; line++) {
    const end = bytes.indexOf('\n', from);
    if (end < 0) break;
    const place = `${path}:${line}`;
    const record = parseLine(bytes.toString('utf8', from, end), place);
    if (start === undefined) start = parseFields(header, record, place).start;
    else if (typeof record === 'object' && record !== null && 'sitting' in record)
      sittings.push(parseFields(sitting, record, place));
    else past.push(parseFields(pastSampleSchema, record, place));
    from = end + 1;
  }
  return start && { start, past, sittings, bytes: from };
}

function parseLine(text: string, place: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new InputError(
      `${place}: the line is not JSON (${errorMessage(error)}); give --force to measure anew.`,
    );
  }
}
