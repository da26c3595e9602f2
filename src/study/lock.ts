import { randomBytes } from 'node:crypto';
import {
  closeSync,
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
import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';
import { LockedError } from './log.js';

const LockContent = z.strictObject({
  pid: z.number().int().positive(),
  host: z.string(),
  /** When the process started, in seconds since 1970. */
  started: z.number(),
  /** Differs for every lock ever taken, so that a lock can be recognised. */
  token: z.string().regex(/^[0-9a-f]{24}$/),
});
/** The start of one process, read twice, differs by less than this (the clock may be adjusted in between). */
const SAME_START_SECONDS = 2;
type LockContent = z.infer<typeof LockContent>;

/**
 * Takes the lock file at `path`, or takes it over when the process that held it is gone.
 *
 * The file is written under another name and linked into place, so it appears at once and whole, and only where there
 * was none. Taking over a dead process's lock is itself locked, by a file named after that lock's token, and the lock
 * is read again under it: of several processes that saw the same dead lock, one replaces it and the others find that
 * it has changed. (Removing a dead lock and linking a new one would let a late process remove the new one.)
 * @returns the function that gives the lock back.
 * @throws LockedError when a living process, or a process on another machine, holds it; InputError when it cannot be taken.
 */
export function acquireLock(path: string): () => void {
  const own: LockContent = {
    pid: process.pid,
    host: hostname(),
    started: processStart(),
    token: randomBytes(12).toString('hex'),
  };
  const temporary = `${path}.${own.token}.tmp`;
  try {
    writeWhole(temporary, JSON.stringify(own));
    for (;;) {
      if (linked(temporary, path)) break;
      const holder = readLock(path);
      if (holder === undefined) continue;
      refuseLiving(path, holder);
      const releaseClaim = acquireLock(`${path}.${holder.token}`);
      try {
        if (readLock(path)?.token !== holder.token) continue;
        renameSync(temporary, path);
        break;
      } finally {
        releaseClaim();
      }
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot take the lock ${path}: ${errorMessage(error)}`);
  } finally {
    rmSync(temporary, { force: true });
  }
  return () => {
    if (readLock(path)?.token === own.token) rmSync(path, { force: true });
  };
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

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The lock's content, or undefined when it has gone. */
function readLock(path: string): LockContent | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return LockContent.parse(JSON.parse(text));
  } catch {
    throw new InputError(
      `${path} is not a lock file that sspec wrote: remove it if nothing is using the study.`,
    );
  }
}

function refuseLiving(path: string, { pid, host, started }: LockContent): void {
  if (host !== hostname()) {
    const holder = `process ${pid} on ${host}`;
    throw new LockedError(
      `${path} is held by ${holder}: wait for it, or remove the file if that process is gone.`,
      holder,
    );
  }
  if (alive(pid, started)) {
    const holder = `the running process ${pid}`;
    throw new LockedError(
      `${path} is held by ${holder}: wait for it, stop it, or use another study name.`,
      holder,
    );
  }
}

function alive(pid: number, started: number): boolean {
  // A restarted container gives out the same ids again: our own id with another start is a process that is gone.
  if (pid === process.pid) return Math.abs(started - processStart()) < SAME_START_SECONDS;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}

function processStart(): number {
  return Date.now() / 1000 - process.uptime();
}
