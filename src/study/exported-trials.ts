import type { DraftExitName } from '../decoding/draft-rule.js';
import { bitsToMask } from '../profile/mask.js';
import { readCandidate, type StudyEvent } from './events.js';
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

type Event<T extends StudyEvent['type']> = Extract<StudyEvent, { type: T }>;

/** All trials of a study, by their numbers. */
export function studyTrials({ events }: StudyRecord): StudyTrial[] {
  const trials = new Map<number, StudyTrial>();
  for (const event of events) {
    if (event.type === 'note') continue;
    // A journal is checked when it is read: what ends has started.
    const trial = event.type === 'started' ? begun(event) : trials.get(event.trial)!;
    trials.set(event.trial, event.type === 'started' ? trial : { ...trial, ...ended(event) });
  }
  return [...trials.values()].sort((a, b) => a.trial - b.trial);
}

function begun({ trial, candidate, time }: Event<'started'>): StudyTrial {
  const { mask, draft } = readCandidate(candidate);
  const { attention, mlp } = bitsToMask(mask);
  return {
    trial,
    state: 'open',
    skip_attention: attention,
    skip_mlp: mlp,
    draft_length: draft.draftLength,
    draft_exit: draft.exit,
    threshold: draft.threshold,
    score: null,
    variance: null,
    figures: {},
    seconds: null,
    started: time,
    reason: null,
  };
}

function ended(event: Event<'finished' | 'failed'>): Partial<StudyTrial> {
  if (event.type === 'failed') return { state: 'failed', reason: event.reason };
  const { score, variance, figures, seconds } = event;
  // The rule that the score is for, where the score itself chose it.
  return { state: 'finished', ...event.rule, score, variance, figures, seconds };
}
