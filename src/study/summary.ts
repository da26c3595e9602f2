import type { DraftExitName } from '../decoding/draft-rule.js';
import type { Observation } from '../optimise/gp/model.js';
import { bitsToMask } from '../profile/mask.js';
import { type NoteValue, replayStudy, type ScoredTrial } from './state.js';
import type { StudyRecord } from './storage.js';

/** A finished trial, as it is shown and written: snake_case. */
export interface FinishedTrial {
  readonly trial: number;
  /** The study's objective, a speedup; more is better. */
  readonly score: number;
  readonly skip_attention: readonly number[];
  readonly skip_mlp: readonly number[];
  readonly draft_length: number;
  readonly draft_exit: DraftExitName;
  readonly threshold: number;
  readonly seconds: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** What became of a study's trials. */
export interface StudySummary {
  /** Best score first; equal ones in the order of their numbers. */
  readonly finished: readonly FinishedTrial[];
  readonly failed: number;
  /** Started and not ended: running now, or interrupted. */
  readonly open: number;
  /** The last note of every key. */
  readonly notes: Readonly<Record<string, NoteValue>>;
}

/** Sums up a study's events. */
export function summariseStudy(record: StudyRecord): StudySummary {
  const { trials, finished, notes } = replayStudy(record);
  const count = (state: (typeof trials)[number]['state']) =>
    trials.filter((trial) => trial.state === state).length;
  return {
    finished: finished.map(shown).sort((a, b) => b.score - a.score || a.trial - b.trial),
    failed: count('failed'),
    open: count('open'),
    notes: Object.fromEntries(notes),
  };
}

function shown({ number, candidate, score, seconds, figures }: ScoredTrial): FinishedTrial {
  const { attention, mlp } = bitsToMask(candidate.mask);
  const { draftLength, exit, threshold } = candidate.draft;
  return {
    trial: number,
    score,
    skip_attention: attention,
    skip_mlp: mlp,
    draft_length: draftLength,
    draft_exit: exit,
    threshold,
    seconds,
    figures,
  };
}

/** The finished trials as observations of their scores, in the order of the journal. */
export function observations(record: StudyRecord): Observation[] {
  return replayStudy(record).finished.map(({ proposed, score, variance }) => ({
    candidate: proposed,
    score,
    noiseVariance: variance,
  }));
}
