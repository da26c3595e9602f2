/**
 * What other processes take of the CPU while a rung of a search times something, kept in the study where it is so much that its
 * figures are not to be trusted: a search that goes on tells of those, too.
 */
import { z } from 'zod';
import { busyMeanwhileWarning, watchOthers } from '../measurement/busy.js';
import { replayStudy } from '../study/state.js';
import type { OpenStudy } from '../study/storage.js';

const TimedRungs = z.enum(['costs', 'timed_finalists', 'race', 'holdout']);
type TimedRung = z.infer<typeof TimedRungs>;

/** The rungs that time something, as sentences name them. */
const RUNGS = {
  costs: 'the timing of passes',
  timed_finalists: 'the timing of finalists',
  race: 'the race of finalists',
  holdout: 'the held-out measurement',
} as const satisfies Record<TimedRung, string>;

const KEY = 'others_cpu_share';
const Shares = z.partialRecord(TimedRungs, z.number());

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
  const shares = sharesOf(study);
  const [worst] = TimedRungs.options
    .map((rung) => ({ rung, share: shares[rung] ?? 0 }))
    .sort((a, b) => b.share - a.share);
  return worst && busyMeanwhileWarning(worst.share, RUNGS[worst.rung]);
}

function sharesOf(study: OpenStudy): z.infer<typeof Shares> {
  return Shares.safeParse(replayStudy(study).notes.get(KEY)).data ?? {};
}
