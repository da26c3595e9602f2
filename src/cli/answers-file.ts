import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { checkWritable, errorMessage } from '../files.js';
import { parseFields, parseJson } from '../json-file.js';
import { acquireLock } from '../study/lock.js';
import { LockedError } from '../study/log.js';

/** Largest file that is gone on with. */
const MAX_BYTES = 2 ** 28;
/** What every line begins with, also one whose writing was interrupted. */
const BEGINNING = '{"id":';

/** What of a line says which answer it is, and what it was made with. */
const answer = z.looseObject({
  id: z.string(),
  dataset: z.string(),
  text: z.string(),
  made_with: z.record(z.string(), z.unknown()),
});

/** An answer that the file has. */
export type KnownAnswer = z.infer<typeof answer>;

/** A JSONL file with a line for each answer, to which answers are added. */
export interface AnswersFile {
  /** Those of an earlier run. */
  readonly known: readonly KnownAnswer[];
  /**
   * Adds a line; once this returns it survives a crash. Where it cannot be written nothing is left of it.
   * @throws InputError when it cannot be written.
   */
  append(row: object): void;
  /** The last call. A file without any answer does not stay. */
  close(): void;
}

/**
 * Opens a file of answers for this process alone, new or, with `resume`, to be gone on with. A line whose writing was interrupted
 * is dropped.
 * @param madeWith what answers depend on: a file is gone on with where all of it is the same.
 * @throws InputError when the file is there already and `resume` was not asked for, is of something else, is being written by
 *   another process, or cannot be written.
 */
export function openAnswers(path: string, resume: boolean, madeWith: object): AnswersFile {
  checkWritable(path);
  const release = lock(path);
  try {
    if (existsSync(path) && !resume)
      throw new InputError(
        `${path} is there already: give --resume to go on with it, or name another file.`,
      );
    const { known, end } = existsSync(path) ? readAnswers(path) : { known: [], end: 0 };
    for (const [i, { made_with }] of known.entries())
      refuseOther(made_with, madeWith, `${path}, line ${i + 1}`);
    const file = appendable(path, end);
    return {
      known,
      append: file.append,
      close() {
        file.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

function lock(path: string): () => void {
  try {
    return acquireLock(`${path}.lock`);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    throw new InputError(`${path} is being written by ${error.holder}; name another file.`);
  }
}

/** The whole lines of a file, and where they end. */
function readAnswers(path: string): { known: KnownAnswer[]; end: number } {
  const { size } = statSync(path);
  if (size > MAX_BYTES)
    throw new InputError(`${path} has ${size} bytes; a file of answers may have ${MAX_BYTES}.`);
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf('\n') + 1;
  if (!BEGINNING.startsWith(bytes.toString('utf8', end, end + BEGINNING.length)))
    throw new InputError(`${path}: its last line is no answer; name another file.`);
  const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
  const known = lines.map((line, i) => {
    const place = `${path}, line ${i + 1}`;
    try {
      return parseFields(answer, parseJson(line), place);
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw new InputError(`${place}: not a line of JSON (${errorMessage(error)}).`);
    }
  });
  return { known, end };
}

function refuseOther(
  theirs: Readonly<Record<string, unknown>>,
  madeWith: object,
  place: string,
): void {
  const ours = new Map<string, unknown>(Object.entries(madeWith));
  const differing = [...new Set([...Object.keys(theirs), ...ours.keys()])].find(
    (key) => JSON.stringify(theirs[key]) !== JSON.stringify(ours.get(key)),
  );
  if (differing === undefined) return;
  const told = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  throw new InputError(
    `${place}: made with another ${differing} (${told(theirs[differing])}, now ${told(ours.get(differing))}); give the same, or name another file.`,
  );
}

/** A file that keeps its first `end` bytes and grows by lines. */
function appendable(path: string, end: number): Pick<AnswersFile, 'append' | 'close'> {
  let length = end;
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new InputError(`Cannot write ${path}: ${errorMessage(error)}.`);
    }
  };
  const fd = attempt(() => {
    closeSync(openSync(path, 'a'));
    return openSync(path, 'r+');
  });
  attempt(() => ftruncateSync(fd, length));
  return {
    append(row) {
      const bytes = Buffer.from(`${JSON.stringify(row)}\n`);
      try {
        attempt(() => {
          for (let at = 0; at < bytes.length; )
            at += writeSync(fd, bytes, at, bytes.length - at, length + at);
          fsyncSync(fd);
        });
      } catch (error) {
        ftruncateSync(fd, length);
        throw error;
      }
      length += bytes.length;
    },
    close() {
      closeSync(fd);
      if (length === 0) rmSync(path, { force: true });
    },
  };
}
