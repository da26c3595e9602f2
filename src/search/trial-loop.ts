import type { Candidate } from '../optimise/candidate.js';
import type { Sampler } from '../optimise/sampler.js';
import {
  readCandidate,
  readRule,
  type StudyEvent,
  writeCandidate,
  writeRule,
} from '../study/events.js';
import type { OpenStudy } from '../study/storage.js';
import type { Scored, Scorer } from './scorer.js';

/** A finished trial: what was proposed, and what it came to. */
export interface Trial extends Scored {
  readonly number: number;
  /** As the sampler proposed it; `candidate` has the draft-length rule that the score is for. */
  readonly proposed: Candidate;
}

/** How many trials to run. */
export interface TrialLimits {
  /** Trials in all, those of earlier runs included. */
  readonly trials: number;
  /** No trial starts later than this, in milliseconds of `performance.now()`. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scores what a sampler proposes, after telling it the study's finished trials: it goes on as if it had never stopped, for
 * what it proposes depends on what it was told alone.
 * @param onTrial told at the start and after every trial.
 */
export async function runTrials(
  study: OpenStudy,
  sampler: Sampler,
  scorer: Scorer,
  { trials: total, deadline, signal }: TrialLimits,
  onTrial: (trials: readonly Trial[]) => void,
): Promise<Trial[]> {
  const trials = finishedTrials(study.events);
  for (const { proposed, score, variance } of trials) sampler.tell(proposed, score, variance);
  onTrial(trials);
  while (trials.length < total) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) break;
    const proposed = sampler.ask();
    const trial = trials.length;
    const begun = performance.now();
    const time = new Date().toISOString();
    await study.append({ type: 'started', trial, candidate: writeCandidate(proposed), time });
    const scored = await scorer.score(proposed);
    const { candidate, score, variance, figures } = scored;
    const rule = scorer.draft === 'search' ? {} : { rule: writeRule(candidate.draft) };
    const seconds = (performance.now() - begun) / 1000;
    await study.append({ type: 'finished', trial, ...rule, score, variance, figures, seconds });
    sampler.tell(proposed, score, variance);
    trials.push({ ...scored, number: trial, proposed });
    onTrial(trials);
  }
  return trials;
}

/** The finished trials of a journal, in the order in which they were told. */
export function finishedTrials(events: readonly StudyEvent[]): Trial[] {
  const candidates = new Map<number, Candidate>();
  const trials: Trial[] = [];
  for (const event of events) {
    if (event.type === 'started') candidates.set(event.trial, readCandidate(event.candidate));
    if (event.type !== 'finished') continue;
    const { trial: number, rule, score, variance, figures } = event;
    const proposed = candidates.get(number)!;
    const candidate = rule ? { mask: proposed.mask, draft: readRule(rule) } : proposed;
    trials.push({ number, proposed, candidate, score, variance, figures });
  }
  return trials;
}
