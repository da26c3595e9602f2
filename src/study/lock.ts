import { hostname } from 'node:os';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { type LockHolder, tryLock } from '../lock.js';
import { LockedError } from './log.js';

/**
 * Takes the lock file at `path`, or takes it over when the process that held it is gone.
 * @returns the function that gives the lock back.
 * @throws LockedError when a living process, or a process on another machine, holds it; InputError when it cannot be taken.
 */
export function acquireLock(path: string): () => void {
  const taken = attempt(path);
  if (typeof taken === 'function') return taken;
  if (taken.host !== hostname()) {
    const holder = `process ${taken.pid} on ${taken.host}`;
    throw new LockedError(
      `${path} is held by ${holder}: wait for it, or remove the file if that process is gone.`,
      holder,
    );
  }
  const holder = `the running process ${taken.pid}`;
  throw new LockedError(
    `${path} is held by ${holder}: wait for it, stop it, or use another study name.`,
    holder,
  );
}

function attempt(path: string): (() => void) | LockHolder {
  try {
    return tryLock(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot take the lock ${path}: ${errorMessage(error)}`);
  }
}
