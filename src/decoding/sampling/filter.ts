/**
 * From a row of logits to the tokens that may be sampled, in the fixed order temperature, top-k, top-p, min-p.
 *
 * | symbol | shape  | meaning                                                                  |
 * |--------|--------|--------------------------------------------------------------------------|
 * | l      | [V]    | logits of one position                                                   |
 * | T      | scalar | temperature                                                              |
 * | s      | [n]    | scaled logits of the survivors, (l - max l) / T, so the largest is 0       |
 * | w      | [n]    | exp s                                                                    |
 * | P      | [n]    | probabilities after the last filter, w / sum w                           |
 *
 * What each step keeps, and what of ties, infinities and NaN: docs/coupling.md.
 */
import { argmax } from './greedy.js';
import { GUMBEL_RANGE } from './noise.js';
import type { SamplingOptions } from './options.js';
import { kthLargest, tiesAtCut } from './top-k.js';
import { nucleusEnd } from './top-p.js';

/** The tokens that a filter let through, by ascending id; the first `count` entries of each array hold. */
export interface Survivors {
  count: number;
  /** Index (not id) of the most probable one, the lowest of equals. */
  top: number;
  readonly ids: Int32Array;
  /** s: scaled logits relative to the largest. */
  readonly scores: Float64Array;
  /** P: sums to 1. */
  readonly probabilities: Float64Array;
}

/** Fills `into` from `logits[offset .. offset + V)`. Throws a plain Error when no logit is above -Infinity. */
export type LogitFilter = (logits: Float32Array, offset: number, into: Survivors) => void;

/** Room for the survivors of one position; made once and filled again and again. */
export function createSurvivors(options: SamplingOptions, vocabularySize: number): Survivors {
  const capacity = survivorLimit(options, vocabularySize);
  return {
    count: 0,
    top: 0,
    ids: new Int32Array(capacity),
    scores: new Float64Array(capacity),
    probabilities: new Float64Array(capacity),
  };
}

/**
 * The filter of one generation; calls allocate nothing.
 * @param options checked ones (`checkSamplingOptions`)
 */
export function createFilter(options: SamplingOptions, vocabularySize: number): LogitFilter {
  const { temperature, topP, minP } = options;
  if (temperature === 0)
    return (logits, offset, into) => keepArgmax(logits, offset, vocabularySize, into);

  const limit = survivorLimit(options, vocabularySize);
  const largest = new Float32Array(limit < vocabularySize ? limit : 0);
  const heap = new Int32Array(topP < 1 ? limit : 0);
  // Without top-p between them, what min-p drops need not be gathered. A nat of slack: the test itself is on w.
  const reach = topP < 1 ? GUMBEL_RANGE : Math.min(GUMBEL_RANGE, 1 - Math.log(minP));

  return (logits, offset, into) => {
    const { ids, scores, probabilities: weights } = into;
    const best = argmax(logits, offset, vocabularySize);
    const max = maximum(logits, offset, best);
    let least = Math.max(max - reach * temperature, -Number.MAX_VALUE);
    let ties = Infinity;
    if (largest.length > 0) {
      const kth = kthLargest(logits, offset, vocabularySize, least, largest);
      if (kth > -Infinity) {
        least = kth;
        ties = tiesAtCut(largest);
      }
    }

    let count = 0;
    let total = 0;
    for (let id = 0; id < vocabularySize; id++) {
      const logit = logits[offset + id];
      if (logit >= least && (logit > least || ties-- > 0)) {
        // The maximum by itself, for Infinity - Infinity is NaN.
        const score = logit === max ? 0 : (logit - max) / temperature;
        const weight = Math.exp(score);
        if (id === best) into.top = count;
        ids[count] = id;
        scores[count] = score;
        weights[count] = weight;
        total += weight;
        count++;
      }
    }
    into.count = count;

    if (topP < 1 || minP > 0) {
      const end = topP < 1 ? nucleusEnd(scores, weights, count, total, topP, heap) : -1;
      total = compact(into, end, minP);
    }
    for (let j = 0; j < into.count; j++) weights[j] /= total;
  };
}

/** With top-k on, no more than k survive, and the workspaces are that small. */
function survivorLimit({ temperature, topK }: SamplingOptions, vocabularySize: number): number {
  if (temperature === 0) return 1;
  return topK > 0 ? Math.min(topK, vocabularySize) : vocabularySize;
}

function maximum(logits: Float32Array, offset: number, best: number): number {
  const max = logits[offset + best];
  if (!(max > -Infinity))
    throw new Error('every logit is -Infinity or NaN: the model gave no distribution');
  return max;
}

function keepArgmax(logits: Float32Array, offset: number, length: number, into: Survivors): void {
  const best = argmax(logits, offset, length);
  maximum(logits, offset, best);
  into.count = 1;
  into.top = 0;
  into.ids[0] = best;
  into.scores[0] = 0;
  into.probabilities[0] = 1;
}

/**
 * Keeps, in place, what comes no later than index `end` in order of probability (-1: all) and weighs at least `minP`
 * (the heaviest weighs 1). Returns the sum of the kept weights.
 */
function compact(survivors: Survivors, end: number, minP: number): number {
  const { count, top, ids, scores, probabilities: weights } = survivors;
  const lowest = end < 0 ? -Infinity : scores[end];
  let kept = 0;
  let total = 0;
  for (let j = 0; j < count; j++) {
    const score = scores[j];
    const weight = weights[j];
    if (weight < minP || score < lowest || (score === lowest && j > end)) continue;
    if (j === top) survivors.top = kept;
    ids[kept] = ids[j];
    scores[kept] = score;
    weights[kept] = weight;
    total += weight;
    kept++;
  }
  survivors.count = kept;
  return total;
}
