/**
 * A search: a sampler proposes masks, a scorer scores them (by window replay, or by real decoding as in the paper), the most
 * promising ones race in real decoding on the whole calibration set, and the winner is measured on held-out prompts that
 * nothing before has seen. Only that last figure is a headline: the best of many noisy trials is biased upward.
 */
import { generate } from '../decoding/generate.js';
import { prefillChunk } from '../engine/engine.js';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import type { EvaluationPrompt, EvaluationSettings } from '../evaluation/run.js';
import { type Candidate, candidateKey } from './candidate.js';
import type { Sampler } from './sampler.js';
import { createBoSampler } from './samplers/bo.js';
import { createRandomSampler } from './samplers/random.js';
import { readCandidate, type StudyEvent, writeCandidate } from './storage/events.js';
import type { OpenStudy } from './storage/storage.js';
import { leaveOneOut, warmStart } from './sweep.js';
import { journalFigures, type Measurement, measure, scoreOf } from './trial.js';

export const samplerNames = ['bo', 'random'] as const;
export type SamplerName = (typeof samplerNames)[number];

/** Sequences that the leave-one-out sweep runs over. */
const sweepSequences = 4;

/** What a search is to do. */
export interface SearchRequest {
  readonly sampler: SamplerName;
  readonly seed: number;
  readonly trials: number;
  /** No trial starts later than this many seconds after the beginning. */
  readonly timeoutSeconds?: number;
  /** Candidates that decode the whole calibration set. */
  readonly finalists: number;
  /** Calibration prompts that each trial decodes: the first of `calibration`. */
  readonly promptsPerTrial: number;
  readonly calibration: readonly EvaluationPrompt[];
  readonly holdout: readonly EvaluationPrompt[];
  readonly settings: EvaluationSettings;
  /** The opened journal; its finished trials are not run again. */
  readonly study: OpenStudy;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SearchProgress) => void;
}

/** Where a search is. */
export interface SearchProgress {
  readonly stage: 'sweep' | 'trials' | 'finalists' | 'holdout';
  readonly done: number;
  readonly total: number;
  /** Best score among the trials so far. */
  readonly best?: number;
}

/** A finished trial. */
export interface Trial {
  readonly number: number;
  readonly candidate: Candidate;
  readonly score: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** What a search found. */
export interface SearchResult {
  readonly winner: Candidate;
  /** What the sampler's model expected of the winner; null where it has none. */
  readonly predictedSpeedup: number | null;
  readonly calibration: Measurement;
  readonly holdout: Measurement;
  readonly trials: readonly Trial[];
}

/**
 * Runs a search, or goes on with one.
 * @throws InputError when no trial could be finished; the signal's reason when aborted (finished trials are kept).
 */
export async function runSearch(model: Model, request: SearchRequest): Promise<SearchResult> {
  const { study, signal, settings, calibration, holdout, onProgress = () => {} } = request;
  const started = performance.now();
  const { sampler, predict } = await createSampler(model, request);
  const trials = finishedTrials(study.events);
  // What a sampler proposes depends on what it was told alone, so it goes on as if it had never stopped.
  for (const { candidate, score, variance } of trials) sampler.tell(candidate, score, variance);
  const total = request.trials;
  const best = () => trials.reduce((max, trial) => Math.max(max, trial.score), 0);
  const report = () => onProgress({ stage: 'trials', done: trials.length, total, best: best() });
  report();
  const options = { settings, signal };
  while (trials.length < total) {
    signal?.throwIfAborted();
    if (performance.now() - started > 1000 * (request.timeoutSeconds ?? Infinity)) break;
    const candidate = sampler.ask();
    const number = trials.length;
    const begun = performance.now();
    const time = new Date().toISOString();
    await study.append({
      type: 'started',
      trial: number,
      candidate: writeCandidate(candidate),
      time,
    });
    const prompts = calibration.slice(0, request.promptsPerTrial);
    // The machine is warm after the first trial.
    const trialSettings = { ...settings, warmup: number === 0 ? settings.warmup : 0 };
    const [measurement] = (await measure(model, prompts, [candidate], {
      ...options,
      settings: trialSettings,
    })) as [Measurement];
    const { score, variance } = scoreOf(measurement);
    const figures = journalFigures(measurement);
    const seconds = (performance.now() - begun) / 1000;
    await study.append({ type: 'finished', trial: number, score, variance, figures, seconds });
    sampler.tell(candidate, score, variance);
    trials.push({ number, candidate, score, variance, figures });
    report();
  }

  const finalists = rankCandidates(predict, trials).slice(0, request.finalists);
  if (finalists.length === 0)
    throw new InputError('The time was over before a single trial had finished.');
  const measured = await measure(model, calibration, finalists, {
    ...options,
    onProgress: (done, of) => onProgress({ stage: 'finalists', done, total: of, best: best() }),
  });
  const at = measured.reduce(
    (winner, { pooled }, i) =>
      (pooled.speedup ?? 0) > (measured[winner]!.pooled.speedup ?? 0) ? i : winner,
    0,
  );
  const winner = finalists[at]!;
  await study.append({
    type: 'note',
    key: 'finalists',
    value: finalists.map((candidate, i) => ({
      ...writeCandidate(candidate),
      speedup: measured[i]!.pooled.speedup,
      speedup_ci95: measured[i]!.pooled.speedup_ci95 as [number, number] | null,
      ...journalFigures(measured[i]!),
    })),
  });
  const [confirmed] = (await measure(model, holdout, [winner], {
    ...options,
    onProgress: (done, of) => onProgress({ stage: 'holdout', done, total: of, best: best() }),
  })) as [Measurement];
  await study.append({
    type: 'note',
    key: 'holdout',
    value: {
      ...writeCandidate(winner),
      speedup: confirmed.pooled.speedup,
      speedup_ci95: confirmed.pooled.speedup_ci95 as [number, number] | null,
      ...journalFigures(confirmed),
    },
  });
  return {
    winner,
    predictedSpeedup: predict?.(winner) ?? null,
    calibration: measured[at]!,
    holdout: confirmed,
    trials,
  };
}

/** What a sampler's model expects of a candidate's score. */
type Predict = (candidate: Candidate) => number;

async function createSampler(
  model: Model,
  request: SearchRequest,
): Promise<{ sampler: Sampler; predict?: Predict }> {
  const space = { bits: 2 * model.engine.config.layers, draft: 'search' } as const;
  if (request.sampler === 'random') return { sampler: createRandomSampler(space, request.seed) };
  const agreement = await sweep(model, request);
  const sampler = createBoSampler(space, request.seed, warmStart(agreement));
  return { sampler, predict: (candidate) => sampler.posterior(candidate)?.mean ?? 0 };
}

/** The leave-one-out sweep over the model's own continuations; kept in the journal, so that it runs once per study. */
async function sweep(model: Model, request: SearchRequest): Promise<Float64Array> {
  const { study, calibration, settings, onProgress = () => {} } = request;
  const known = study.events.find(
    (event) => event.type === 'note' && event.key === 'leave_one_out',
  );
  if (known?.type === 'note' && Array.isArray(known.value))
    return Float64Array.from(known.value, Number);
  const sequences: number[][] = [];
  for (const prompt of calibration.slice(0, sweepSequences)) {
    const running = generate(model.engine, {
      prompt: prompt.tokens,
      maxNewTokens: settings.maxNewTokens,
      sampling: settings.sampling,
    });
    let step = await running.next();
    while (!step.done) step = await running.next();
    sequences.push([...prompt.tokens, ...step.value.tokens].slice(0, prefillChunk));
  }
  const gated = await model.engine.loadGated();
  const agreement = await leaveOneOut(gated, sequences, (done, total) => {
    request.signal?.throwIfAborted();
    onProgress({ stage: 'sweep', done, total });
  }).finally(() => gated.close());
  await study.append({ type: 'note', key: 'leave_one_out', value: Array.from(agreement) });
  return agreement;
}

interface ScoredTrial extends Trial {
  readonly variance: number;
}

/** The finished trials of a journal, in the order in which they were told. */
function finishedTrials(events: readonly StudyEvent[]): ScoredTrial[] {
  const candidates = new Map<number, Candidate>();
  const trials: ScoredTrial[] = [];
  for (const event of events) {
    if (event.type === 'started') candidates.set(event.trial, readCandidate(event.candidate));
    if (event.type !== 'finished') continue;
    const { trial: number, score, variance, figures } = event;
    trials.push({ number, candidate: candidates.get(number)!, score, variance, figures });
  }
  return trials;
}

/** Distinct candidates, the most promising first: by the model where there is one, since single scores are noisy. */
function rankCandidates(predict: Predict | undefined, trials: readonly ScoredTrial[]): Candidate[] {
  const ranked = new Map<string, { candidate: Candidate; value: number }>();
  for (const { candidate, score } of trials) {
    const value = predict ? predict(candidate) : score;
    const key = candidateKey(candidate);
    if (value > (ranked.get(key)?.value ?? -Infinity)) ranked.set(key, { candidate, value });
  }
  return [...ranked.values()].sort((a, b) => b.value - a.value).map(({ candidate }) => candidate);
}
