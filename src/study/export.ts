import type { DraftExitName } from '../decoding/draft-rule.js';
import { bitsToMask } from '../profile/mask.js';
import type { StudyHeader } from './events.js';
import { type NoteValue, replayStudy, type StudyState } from './state.js';
import type { StudyRecord } from './storage.js';

/** A trial in whatever state, as it is exported: snake_case, null for what it has not. */
export interface StudyTrial {
  readonly trial: number;
  /** `open`: started and not ended, running now or interrupted. */
  readonly state: 'finished' | 'failed' | 'open';
  readonly skip_attention: readonly number[];
  readonly skip_mlp: readonly number[];
  readonly draft_length: number;
  readonly draft_exit: DraftExitName;
  readonly threshold: number;
  /** The study's objective, a speedup; more is better. */
  readonly score: number | null;
  readonly variance: number | null;
  readonly figures: Readonly<Record<string, number>>;
  readonly seconds: number | null;
  /** When it began, for the last time where it was interrupted: ISO 8601. */
  readonly started: string;
  /** Why it failed. */
  readonly reason: string | null;
}

/** A study with all its trials, as JSON has it. */
export interface StudyExport {
  readonly study: string;
  readonly header: StudyHeader;
  /** The last note of every key. */
  readonly notes: Readonly<Record<string, NoteValue>>;
  /** By their numbers. */
  readonly trials: readonly StudyTrial[];
}

/** @param study its name. */
export function studyExport(study: string, record: StudyRecord): StudyExport {
  const { trials, notes } = replayStudy(record);
  return {
    study,
    header: record.header,
    notes: Object.fromEntries(notes),
    trials: trials.map(exported),
  };
}

function exported(trial: StudyState['trials'][number]): StudyTrial {
  const isFinished = trial.state === 'finished';
  // With the rule that the score is for, where the score itself chose it.
  const { mask, draft } = isFinished ? trial.candidate : trial.proposed;
  const { attention, mlp } = bitsToMask(mask);
  return {
    trial: trial.number,
    state: trial.state,
    skip_attention: attention,
    skip_mlp: mlp,
    draft_length: draft.draftLength,
    draft_exit: draft.exit,
    threshold: draft.threshold,
    score: isFinished ? trial.score : null,
    variance: isFinished ? trial.variance : null,
    figures: isFinished ? trial.figures : {},
    seconds: isFinished ? trial.seconds : null,
    started: trial.started,
    reason: trial.state === 'failed' ? trial.reason : null,
  };
}
