import { randomBytes } from 'node:crypto';
import {
  constants,
  copyFileSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { errorCode, makeFolder, processIsAlive } from '../files.js';

const schema = z.object({ pid: z.int().positive(), host: z.string(), token: z.string() });
type Holder = z.infer<typeof schema>;

const POLL_MS = 100;
/** A holder of which nothing has come for so long is told of, not waited for. */
const PATIENCE_MS = 5 * 60_000;

/** How a lock is waited for. */
export interface LockWaiting {
  readonly signal: AbortSignal;
  /** The file that grows while the holder works. */
  readonly watched: string;
  /** Told who is waited for. */
  readonly onWait: (holder: string) => void;
}

/**
 * Takes the lock file at `path`, after the process that has it, or from one that is gone.
 *
 * The file is written under another name and linked into place, so it appears at once and whole. Taking over the lock of a
 * dead process is itself locked, by a file named after that lock's token, and the lock is read again under it: of several
 * processes that saw the same dead lock one replaces it.
 * @returns the function that gives the lock back
 * @throws InputError when its holder does nothing, the signal's reason once it is aborted
 */
export async function lockBlob(path: string, waiting: LockWaiting): Promise<() => void> {
  const own: Holder = {
    ...{ pid: process.pid, host: hostname() },
    token: randomBytes(12).toString('hex'),
  };
  makeFolder(dirname(path));
  const temporary = `${path}.${own.token}.tmp`;
  writeFileSync(temporary, JSON.stringify(own), { flag: 'wx' });
  let seen = { state: '', since: Date.now() };
  try {
    while (!linked(temporary, path) && !tookOver(temporary, path)) {
      const holder = readHolder(path);
      if (holder === undefined) continue;
      const state = `${holder.token} ${statSync(waiting.watched, { throwIfNoEntry: false })?.size}`;
      if (state !== seen.state) seen = { state, since: Date.now() };
      const name = `process ${holder.pid}${holder.host === own.host ? '' : ` on ${holder.host}`}`;
      if (Date.now() - seen.since > PATIENCE_MS)
        throw new InputError(
          `${name} holds ${path} but downloads nothing: end it, or remove that file if it is gone.`,
        );
      waiting.onWait(name);
      await sleep(POLL_MS);
      waiting.signal.throwIfAborted();
    }
  } finally {
    rmSync(temporary, { force: true });
  }
  return () => {
    if (readHolder(path)?.token === own.token) rmSync(path, { force: true });
  };
}

/** Puts the file in the place of a dead process's lock. */
function tookOver(temporary: string, path: string): boolean {
  const dead = readHolder(path);
  if (dead === undefined || dead.host !== hostname() || processIsAlive(dead.pid)) return false;
  const claim = `${path}.${dead.token}.claim`;
  if (!linked(temporary, claim)) {
    // Whoever claimed it may be dead by now, too; then nobody else holds the lock and the claim may go.
    const claimant = readHolder(claim);
    if (claimant && !processIsAlive(claimant.pid)) rmSync(claim, { force: true });
    return false;
  }
  try {
    if (readHolder(path)?.token !== dead.token) return false;
    renameSync(temporary, path);
    return true;
  } finally {
    rmSync(claim, { force: true });
  }
}

function linked(from: string, to: string): boolean {
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

/** Who holds a lock; undefined when it is free. */
function readHolder(path: string): Holder | undefined {
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
    throw new InputError(`${path} is not a lock file that sspec wrote: remove it.`);
  }
}
