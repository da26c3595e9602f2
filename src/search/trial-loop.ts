import type { Sampler } from '../optimise/sampler.js';
import { writeCandidate, writeRule } from '../study/events.js';
import { replayStudy, type Trial } from '../study/state.js';
import type { OpenStudy } from '../study/storage.js';
import type { Scored, Scorer } from './scorer.js';

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
  const trials = replayStudy(study).finished.map(told);
  for (const { proposed, score, variance } of trials) sampler.tell(proposed, score, variance);
  onTrial(trials);
  const known = replayStudy(study).trials;
  let next = known.length === 0 ? 0 : known.at(-1)!.number + 1;
  // What was interrupted is tried again first, whoever had begun it.
  const open = known.filter(({ state }) => state === 'open');
  while (trials.length < total) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) break;
    const interrupted = open.shift();
    const proposed = interrupted?.proposed ?? sampler.ask();
    const trial = interrupted?.number ?? next++;
    const begun = performance.now();
    const time = new Date().toISOString();
    await study.append({ type: 'started', trial, candidate: writeCandidate(proposed), time });
    const scored = await scorer.score(proposed);
    const seconds = (performance.now() - begun) / 1000;
    const result = { ...resultOf(scorer, scored), seconds };
    await study.append({ type: 'finished', trial, ...result });
    sampler.tell(proposed, scored.score, scored.variance);
    trials.push({ ...scored, number: trial, proposed });
    onTrial(trials);
  }
  return trials;
}

/** What an event tells of a score; the rule where the score itself chose it. */
export function resultOf({ draft }: Pick<Scorer, 'draft'>, scored: Scored) {
  const { candidate, score, variance, figures } = scored;
  const rule = draft === 'search' ? {} : { rule: writeRule(candidate.draft) };
  return { ...rule, score, variance, figures };
}

/** What a sampler is told of a trial, without when it ran and for how long. */
export function told({ number, proposed, candidate, score, variance, figures }: Trial): Trial {
  return { number, proposed, candidate, score, variance, figures };
}
