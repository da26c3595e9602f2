import type { Model } from '../engine/load-model.js';
import type { EvaluationPrompt, EvaluationSettings } from '../evaluation/run.js';
import type { SamplerName } from '../optimise/sampler.js';
import type { OpenStudy } from '../study/storage.js';
import type { Fidelity } from './defaults.js';
import type { Distribution } from './distributed/distributed-trials.js';

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
  /** Prompts whose texts drafts are fitted to, and which nothing is scored on; may be none. */
  readonly fitting: readonly EvaluationPrompt[];
  readonly settings: EvaluationSettings;
  /** Workers on other machines take part in the trials; default: none do. */
  readonly distribution?: Distribution;
  /** The opened journal; its finished trials are not run again. */
  readonly study: OpenStudy;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SearchProgress) => void;
  /** Told in a sentence how long the preparation takes, where that is long. */
  readonly onNotice?: (sentence: string) => void;
}

export type SearchStage =
  | 'costs'
  | 'references'
  | 'states'
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
