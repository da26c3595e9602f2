import { sampleRankCorrelation } from 'simple-statistics';

/**
 * Holm's step-down correction (Holm 1979): adjusted p-values in the order given, each at most 1. Rejecting where the
 * adjusted value is <= alpha keeps the chance of any false rejection below alpha, whatever the tests' dependence.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i] - pValues[j]);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((i, rank) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[i]));
    adjusted[i] = largest;
  });
  return adjusted;
}

/** Fewest pairs whose rank correlation says something: of 10 that have none, one of 0.63 or more comes up one time in 20. */
const FEWEST_PAIRS = 10;

/** Spearman's rho with tied values sharing a rank; undefined with fewer than ten pairs or when a side is constant. */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number | undefined {
  if (x.length !== y.length)
    throw new RangeError(`cannot pair ${x.length} values with ${y.length}`);
  if (x.length < FEWEST_PAIRS) return undefined;
  const rho = sampleRankCorrelation(x, y);
  return Number.isNaN(rho) ? undefined : rho;
}
