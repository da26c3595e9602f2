import type { TOO_FEW } from '../measurement/few-prompts.js';
import type { Verdict } from '../measurement/ratio-estimate.js';
import type { Circumstance } from './circumstances.js';
import type { MethodPair } from './compared-methods.js';

/** A figure of both evaluations; above 1 the ratio is in favour of the second. In snake_case, as it is written. */
export interface ComparedFigure {
  readonly first: number;
  readonly second: number;
  readonly ratio: number;
  readonly ratio_ci95: readonly [number, number] | null;
  /** Of the second against the first, corrected for the number of comparisons (Holm); null without times of single prompts. */
  readonly verdict: Verdict | typeof TOO_FEW | null;
}

/** A method of each evaluation on a dataset of both. */
export interface ComparisonRow extends MethodPair {
  /** `POOLED` for all together. */
  readonly dataset: string;
  /** In common, conversations counted once; null without times of single prompts. */
  readonly prompts: number | null;
  /** Prompts whose outputs have not the same length; null without times of single prompts. */
  readonly different_lengths: number | null;
  /** Of decoding, the prefill left out. */
  readonly tokens_per_second: ComparedFigure;
  /** Each over autoregressive decoding of its own run; null where both are that. */
  readonly speedup: ComparedFigure | null;
}

/** Which evaluation is one of the two. */
export interface ComparedOrigin {
  readonly path: string;
  readonly model: string;
  readonly precision: string;
  readonly threads: number;
  readonly cpu: string;
  readonly time: string;
}

/** What `sspec compare` tells. */
export interface Comparison {
  readonly first: ComparedOrigin;
  readonly second: ComparedOrigin;
  readonly differences: readonly Circumstance[];
  /** Sentences: what is to be known of the figures. */
  readonly notes: readonly string[];
  readonly rows: readonly ComparisonRow[];
}
