import type { DraftExitName } from '../decoding/draft-rule.js';
import type { Observation } from '../optimise/gp/model.js';
import { bitsToMask } from '../profile/mask.js';
import { readCandidate, readRule, type StudyEvent, type WrittenCandidate } from './events.js';
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
  readonly notes: Readonly<Record<string, Extract<StudyEvent, { type: 'note' }>['value']>>;
}

/** Sums up a study's events. */
export function summariseStudy({ events }: StudyRecord): StudySummary {
  const candidates = new Map<number, WrittenCandidate>();
  const finished: FinishedTrial[] = [];
  const notes: [string, StudySummary['notes'][string]][] = [];
  let failed = 0;
  for (const event of events) {
    if (event.type === 'started') candidates.set(event.trial, event.candidate);
    else if (event.type === 'note') notes.push([event.key, event.value]);
    else if (event.type === 'failed') failed++;
    else {
      // A journal is checked when it is read: what finishes has started.
      const { mask, draft: proposed } = readCandidate(candidates.get(event.trial)!);
      const draft = event.rule ? readRule(event.rule) : proposed;
      const { attention, mlp } = bitsToMask(mask);
      finished.push({
        trial: event.trial,
        score: event.score,
        skip_attention: attention,
        skip_mlp: mlp,
        draft_length: draft.draftLength,
        draft_exit: draft.exit,
        threshold: draft.threshold,
        seconds: event.seconds,
        figures: event.figures,
      });
    }
  }
  finished.sort((a, b) => b.score - a.score || a.trial - b.trial);
  const open = candidates.size - finished.length - failed;
  return { finished, failed, open, notes: Object.fromEntries(notes) };
}

/** The finished trials as observations of their scores, in the order of the journal. */
export function observations({ events }: StudyRecord): Observation[] {
  const candidates = new Map<number, WrittenCandidate>();
  return events.flatMap((event) => {
    if (event.type === 'started') candidates.set(event.trial, event.candidate);
    if (event.type !== 'finished') return [];
    const candidate = readCandidate(candidates.get(event.trial)!);
    return [{ candidate, score: event.score, noiseVariance: event.variance }];
  });
}

/** Trials that no other beats in both draft acceptance and c, the cheapest first. */
export function paretoTrials(trials: readonly FinishedTrial[]): FinishedTrial[] {
  const measured = trials.filter(
    ({ figures }) => figures.c !== undefined && figures.draft_acceptance_rate !== undefined,
  );
  const acceptance = ({ figures }: FinishedTrial) => figures.draft_acceptance_rate!;
  measured.sort((a, b) => a.figures.c! - b.figures.c! || acceptance(b) - acceptance(a));
  let best = -Infinity;
  return measured.filter((trial) => {
    const isFront = acceptance(trial) > best;
    if (isFront) best = acceptance(trial);
    return isFront;
  });
}
