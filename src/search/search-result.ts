import type { DraftingName, MethodName } from '../decoding/method.js';
import type { Trial } from '../study/state.js';
import type { Finalist } from './finalist.js';
import type { Measurement } from './measure.js';

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
  /** Held-out prompts in the midst of which the measurement was interrupted: their methods were timed in different runs. */
  readonly interruptedPrompts: number;
}
