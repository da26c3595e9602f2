/**
 * What other processes take of the CPU while a rung of a search times something, kept in the study where it is so much that its
 * figures are not to be trusted: a search that goes on tells of those, too.
 */
import { z } from 'zod';
import { busyMeanwhileWarning, watchOthers } from '../measurement/busy.js';
import { replayStudy } from '../study/state.js';
import type { OpenStudy } from '../study/storage.js';

/** The rungs that time something, as sentences name them. */
const RUNGS = {
  costs: 'the timing of passes',
  timed_finalists: 'the timing of finalists',
  race: 'the race of finalists',
  holdout: 'the held-out measurement',
} as const;
type TimedRung = keyof typeof RUNGS;

const KEY = 'others_cpu_share';
const Shares = z.partialRecord(z.enum(['costs', 'timed_finalists', 'race', 'holdout']), z.number());

/** Does what times something, and notes what others took meanwhile. */
export async function watched<T>(
  study: OpenStudy,
  rung: TimedRung,
  work: () => Promise<T>,
): Promise<T> {
  const othersSince = watchOthers();
  const result = await work();
  const others = othersSince();
  if (busyMeanwhileWarning(others, RUNGS[rung]) !== undefined) {
    const known = sharesOf(study);
    const value = { ...known, [rung]: Math.max(others, known[rung] ?? 0) };
    await study.append({ type: 'note', key: KEY, value });
  }
  return result;
}

/** What to tell of the rung that was disturbed most; undefined where none was. */
export function disturbedWarning(study: OpenStudy): string | undefined {
  const shares = Object.entries(sharesOf(study)) as [TimedRung, number][];
  if (shares.length === 0) return undefined;
  const [rung, share] = shares.reduce((a, b) => (b[1] > a[1] ? b : a));
  return busyMeanwhileWarning(share, RUNGS[rung]);
}

function sharesOf(study: OpenStudy): z.infer<typeof Shares> {
  return Shares.safeParse(replayStudy(study).notes.get(KEY)).data ?? {};
}
