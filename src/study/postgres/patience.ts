import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseAddress } from './address.js';
import { databaseFailure, isConnectionLoss } from './failures.js';

/** How long a server that went away is waited for, as one that restarts does. */
export const PATIENCE_MILLISECONDS = 120_000;
export const LONGEST_PAUSE_MILLISECONDS = 5000;

/** Does what may be done twice, again and again while the server cannot be reached. */
export async function patiently<T>(address: DatabaseAddress, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  for (let pause = 100; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MILLISECONDS)) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionLoss(error) || Date.now() + pause > deadline)
        throw databaseFailure(address, error);
      await sleep(pause);
    }
  }
}
