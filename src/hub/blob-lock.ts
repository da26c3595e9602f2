import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../errors.js';
import { makeFolder } from '../files.js';
import { tryLock } from '../lock.js';

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
 * @returns the function that gives the lock back
 * @throws InputError when its holder does nothing, the signal's reason once it is aborted
 */
export async function lockBlob(path: string, waiting: LockWaiting): Promise<() => void> {
  makeFolder(dirname(path));
  let seen = { state: '', since: Date.now() };
  for (;;) {
    const taken = tryLock(path);
    if (typeof taken === 'function') return taken;
    const state = `${taken.token} ${statSync(waiting.watched, { throwIfNoEntry: false })?.size}`;
    if (state !== seen.state) seen = { state, since: Date.now() };
    const name = `process ${taken.pid}${taken.host === hostname() ? '' : ` on ${taken.host}`}`;
    if (Date.now() - seen.since > PATIENCE_MS)
      throw new InputError(
        `${name} holds ${path} but downloads nothing: end it, or remove that file if it is gone.`,
      );
    waiting.onWait(name);
    await sleep(POLL_MS);
    waiting.signal.throwIfAborted();
  }
}
