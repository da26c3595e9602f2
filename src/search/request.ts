import type { DraftingName, MethodName } from '../decoding/method.js';
import type { Model } from '../engine/load-model.js';
import type { EvaluationPrompt, EvaluationSettings } from '../evaluation/run.js';
import type { Finalist } from './candidate.js';
import type { SamplerName } from './sampler.js';
import type { OpenStudy } from './storage/storage.js';
import type { Measurement } from './trial.js';
import type { Trial } from './trials.js';

/** `ladder`: trials are scored by window replay; `decode`: by real decoding. */
export const fidelities = ['ladder', 'decode'] as const;
export type Fidelity = (typeof fidelities)[number];

/**
 * Most prompts of either side. A search is to take a minute, and `sspec eval` measures its profile on as many as one likes;
 * groups are interleaved, so that the first so many are balanced.
 */
export const MOST_PROMPTS = { calibration: 24, holdout: 48 } as const;

/** What a search is to do. */
export interface SearchRequest {
  readonly sampler: SamplerName;
  readonly fidelity: Fidelity;
  readonly seed: number;
  readonly trials: number;
  /** No trial starts later than this many seconds after the beginning. */
  readonly timeoutSeconds?: number;
  /** Candidates that decode the whole calibration set. */
  readonly finalists: number;
  /** Calibration prompts that each trial is scored on: the first of `calibration`. */
  readonly promptsPerTrial: number;
  readonly calibration: readonly EvaluationPrompt[];
  readonly holdout: readonly EvaluationPrompt[];
  readonly settings: EvaluationSettings;
  /** The opened journal; its finished trials are not run again. */
  readonly study: OpenStudy;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SearchProgress) => void;
}

export type SearchStage =
  | 'costs'
  | 'references'
  | 'sweep'
  | 'plan'
  | 'trials'
  | 'shortlist'
  | 'finalists'
  | 'holdout';

/** Where a search is. */
export interface SearchProgress {
  readonly stage: SearchStage;
  readonly done: number;
  readonly total: number;
  /** Best score among the trials so far. */
  readonly best?: number;
}

/** What the parts of a search share. */
export interface RunContext {
  readonly model: Model;
  readonly request: SearchRequest;
  readonly report: (stage: SearchStage, done: number, total: number) => void;
}

/** A finalist and what a cheaper rung made of it; null where there was none. */
export interface RankedFinalist {
  readonly finalist: Finalist;
  readonly predictedSpeedup: number | null;
}

/** What a search found. */
export interface SearchResult {
  /** The fastest method of the race, which the figures are of. */
  readonly method: DraftingName;
  /** What the profile decodes with: that method where it gains on held-out prompts, else autoregressive decoding. */
  readonly chosen: MethodName;
  /** The mask and rule behind the method; of lookup, the fastest ones of the race. */
  readonly winner: Finalist;
  /** What the scores of trials, or the sampler's model of them, promised of the winner; null where there is no such thing. */
  readonly predictedSpeedup: number | null;
  readonly calibration: Measurement;
  readonly holdout: Measurement;
  readonly trials: readonly Trial[];
  /** Median relative error of the cost model on passes of masks that it was not fitted on; null at fidelity `decode`. */
  readonly costModelError: number | null;
  /** Of the finalists' predicted and measured speedups; null where there are too few. */
  readonly rankCorrelation: number | null;
}
