/** Where a search is, read from its study while it runs. */

import type { StudyRecord } from './storage.js';
import { type FinishedTrial, summariseStudy } from './summary.js';

/** What a search does at the time of a study's last event. */
export type StudyStage = 'preparing' | 'trials' | 'race' | 'holdout' | 'finished';

/** The state of a study, as it is shown and written: snake_case. */
export interface StudyProgress {
  readonly stage: StudyStage;
  readonly finished: number;
  readonly failed: number;
  /** Started and not ended. */
  readonly open: number;
  /** null before the first trial has finished. */
  readonly best: FinishedTrial | null;
  /** Generations that the race, or the held-out measurement after it, has measured so far. */
  readonly generations: number;
  /** Finished trials a minute over the last ones; null with fewer than two. */
  readonly trials_per_minute: number | null;
}

/** Trials that the rate is of. */
const RATE_TRIALS = 20;

/** The progress of a study. Whether a process is at it cannot be told from this: it may have been interrupted. */
export function studyProgress(record: StudyRecord): StudyProgress {
  const { finished, failed, open } = summariseStudy(record);
  return {
    ...lastStage(record),
    finished: finished.length,
    failed,
    open,
    best: finished[0] ?? null,
    trials_per_minute: rateOf(record),
  };
}

function lastStage({ events }: StudyRecord): Pick<StudyProgress, 'stage' | 'generations'> {
  let stage: StudyStage = 'preparing';
  let measurement = '';
  let generations = 0;
  for (const event of events) {
    if (event.type === 'decoded') {
      if (event.measurement !== measurement) generations = 0;
      measurement = event.measurement;
      generations++;
      if (stage !== 'holdout') stage = 'race';
    } else if (event.type !== 'note') stage = 'trials';
    else if (event.key === 'finalists') stage = 'holdout';
    else if (event.key === 'result') stage = 'finished';
    // Every run begins with it.
    else if (event.key === 'command') stage = 'preparing';
  }
  return { stage, generations };
}

function rateOf({ events }: StudyRecord): number | null {
  const starts = events.flatMap((event) =>
    event.type === 'started' ? [Date.parse(event.time)] : [],
  );
  const last = starts.slice(-RATE_TRIALS);
  const minutes = (last.at(-1)! - last[0]!) / 60_000;
  return last.length > 1 && minutes > 0 ? (last.length - 1) / minutes : null;
}
