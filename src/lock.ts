/** Lock files: who has one works alone, and the lock of a process that is gone is taken over. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { InputError } from './errors.js';
import { errorCode, processIsAlive } from './files.js';

const schema = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** When the process started, in seconds since 1970. */
  started: z.number().optional(),
  /** Differs for every lock ever taken, so that a lock can be recognised. It is a part of file names. */
  token: z.string().regex(/^[0-9a-f]{1,64}$/),
});
/** The process that has a lock. */
export type LockHolder = z.infer<typeof schema>;

/** The start of one process, read twice, differs by less than this (the clock may be adjusted in between). */
const SAME_START_SECONDS = 2;

/**
 * Takes the lock file at `path`, where it is free or the process that had it is gone.
 *
 * The file is written under another name and linked into place, so it appears at once and whole, and only where there
 * was none. Taking over a dead process's lock is itself locked, by a file named after that lock's token, and the lock
 * is read again under it: of several processes that saw the same dead lock, one replaces it and the others find that
 * it has changed. (Removing a dead lock and linking a new one would let a late process remove the new one.)
 * @returns the function that gives the lock back; or who has it, or is about to: a living process, or one of another machine.
 * @throws InputError when there is a file that is no lock; the system's errors.
 */
export function tryLock(path: string): (() => void) | LockHolder {
  const own: LockHolder = {
    ...{ pid: process.pid, host: hostname(), started: processStart() },
    token: randomBytes(12).toString('hex'),
  };
  const temporary = `${path}.${own.token}.tmp`;
  const release = () => {
    if (readHolder(path)?.token === own.token) rmSync(path, { force: true });
  };
  for (;;) {
    const holder = readHolder(path);
    if (holder && !isGone(holder)) return holder;
    try {
      writeWhole(temporary, JSON.stringify(own));
      if (!holder) {
        if (placed(temporary, path)) return release;
        continue;
      }
      const releaseClaim = tryLock(`${path}.${holder.token}`);
      if (typeof releaseClaim !== 'function') return releaseClaim;
      try {
        if (readHolder(path)?.token !== holder.token) continue;
        renameSync(temporary, path);
        return release;
      } finally {
        releaseClaim();
      }
    } finally {
      rmSync(temporary, { force: true });
    }
  }
}

function writeWhole(path: string, text: string): void {
  const fd = openSync(path, 'wx');
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Puts a file where none is; false where there is one. */
function placed(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    if (!/^E(PERM|NOTSUP|OPNOTSUPP|NOSYS)$/.test(errorCode(error) ?? '')) throw error;
    return copied(from, to);
  }
}

/** Where the file system has no links (exFAT): almost as good, as the content is short. */
function copied(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Who has a lock; undefined when it is free. */
function readHolder(path: string): LockHolder | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new InputError(
      `${path} is not a lock file that sspec wrote: remove it if nothing is using what it locks.`,
    );
  }
}

function isGone({ pid, host, started }: LockHolder): boolean {
  if (host !== hostname()) return false;
  // A restarted container gives out the same ids again: our own id with another start is a process that is gone.
  if (pid === process.pid && started !== undefined)
    return Math.abs(started - processStart()) >= SAME_START_SECONDS;
  return !processIsAlive(pid);
}

function processStart(): number {
  return Date.now() / 1000 - process.uptime();
}
