import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';
import { JOURNAL_BEGINNING } from './journal-file.js';
import { acquireLock } from './lock.js';
import { LockedError } from './log.js';

/**
 * Removes journals and their locks. All locks are taken before the first file goes: one that is held keeps all.
 * @throws InputError when there is no such file, or it is none of ours. LockedError when another process is writing one.
 */
export function removeJournals(paths: readonly string[]): void {
  const wanted = [...new Set(paths)];
  // Before the locks, which need the folder.
  for (const path of wanted) checkJournal(path);
  const releases: (() => void)[] = [];
  try {
    for (const path of wanted) releases.push(lock(path));
    for (const path of wanted) checkJournal(path);
    for (const path of wanted) removeFile(path);
  } finally {
    for (const release of releases) release();
  }
}

function lock(path: string): () => void {
  try {
    return acquireLock(`${path}.lock`);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    const { holder } = error;
    throw new LockedError(
      `The study "${nameOf(path)}" is in use by ${holder}: wait for it or stop it first (its lock is ${path}.lock).`,
      holder,
    );
  }
}

/** A damaged journal may go, but not a file that merely ends as one does, such as somebody's prompts. */
function checkJournal(path: string): void {
  const beginning = readBeginning(path);
  if (!JOURNAL_BEGINNING.startsWith(beginning))
    throw new InputError(`${path} is not a study; it stays where it is.`);
}

function readBeginning(path: string): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(JOURNAL_BEGINNING.length);
      return bytes.toString('utf8', 0, readSync(fd, bytes));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT')
      throw new InputError(`There is no study "${nameOf(path)}" in ${dirname(path)}.`);
    throw new InputError(`Cannot read the study ${path}: ${errorMessage(error)}`);
  }
}

function removeFile(path: string): void {
  try {
    rmSync(path);
  } catch (error) {
    throw new InputError(`Cannot remove the study ${path}: ${errorMessage(error)}`);
  }
}

function nameOf(path: string): string {
  return basename(path, '.jsonl');
}
