import { setTimeout as sleep } from 'node:timers/promises';

/** Between two looks at a study. */
const FOLLOW_SECONDS = 2;

/**
 * Looks again and again until there is nothing more to come, or the signal is aborted.
 * @param look tells whether that was the last time.
 */
export async function follow(
  look: () => Promise<boolean>,
  signal: AbortSignal,
  seconds = FOLLOW_SECONDS,
): Promise<void> {
  while (!(await look()) && !signal.aborted)
    await sleep(1000 * seconds, undefined, { signal }).catch(() => {});
}
