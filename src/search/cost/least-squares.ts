/**
 * Linear least squares that a few outliers do not bend: timings have a long upper tail, of interruptions.
 *
 * | symbol | shape  | meaning                                                        |
 * |--------|--------|----------------------------------------------------------------|
 * | X      | [n, p] | features                                                       |
 * | y      | [n]    | observations, all above 0                                      |
 * | b      | [p]    | coefficients                                                   |
 * | r      | [n]    | relative residuals (y - X b) / (X b)                           |
 *
 * Minimises sum r^2, for an error of 5% is the same fault in a short pass and in a long one; then leaves out what lies more
 * than three robust standard deviations (1.4826 times the median absolute deviation) from the median residual and solves
 * again, `rounds` times. Residuals are relative to what is predicted, which weights are taken from the solution before (iteratively
 * reweighted least squares). Relative to y itself, short times would weigh more than long ones of the same pass, and b would be too low
 * by about twice the squared relative deviation: a fifth where times waver by a third, as those of short passes do.
 */
import { medianAbsoluteDeviation, medianSorted } from 'simple-statistics';
import { Cholesky, dot } from '../../optimise/gp/cholesky.js';

const rounds = 3;
const reach = 3 * 1.4826;

/** A single observation counts for so many times what was expected of it, at most. */
const mostOver = 8;

/** Observations over what was expected of them, on average: what the fit leaves out is in it. 1 of none. */
export function meanRatio(observed: readonly number[], expected: readonly number[]): number {
  let taken = 0;
  let predicted = 0;
  for (const [i, own] of expected.entries()) {
    if (own <= 0) continue;
    taken += Math.min(observed[i]!, mostOver * own);
    predicted += own;
  }
  return predicted > 0 ? taken / predicted : 1;
}

/**
 * The coefficients.
 * @param x rows of features.
 * @param y observations above 0.
 * @throws RangeError when there are fewer observations than features.
 */
export function robustLeastSquares(x: readonly Float64Array[], y: readonly number[]): Float64Array {
  const features = x[0]?.length ?? 0;
  if (x.length !== y.length || x.length < Math.max(1, features)) {
    throw new RangeError(`${x.length} observations cannot fit ${features} coefficients`);
  }
  let kept = x.map((_, i) => i);
  let b = solve(x, y, y, kept);
  for (let round = 0; round < rounds; round++) {
    // Far from what was observed, noise may fit less than nothing.
    const predicted = x.map((row, i) => Math.max(dot(row, 0, b, 0, features), y[i]! / 8));
    const residuals = y.map((one, i) => one / predicted[i]! - 1);
    const inside = kept.map((i) => residuals[i]!);
    const middle = medianSorted([...inside].sort((a, c) => a - c));
    const limit = reach * medianAbsoluteDeviation(inside);
    const next = x.map((_, i) => i).filter((i) => Math.abs(residuals[i]! - middle) <= limit);
    if (next.length < features) break;
    kept = next;
    b = solve(x, y, predicted, kept);
  }
  return b;
}

/**
 * Normal equations, scaled to a unit diagonal; a feature that is always 0 gets the coefficient 0 by way of the ridge.
 * @param relativeTo what residuals are divided by, [n].
 */
function solve(
  x: readonly Float64Array[],
  y: readonly number[],
  relativeTo: readonly number[],
  rows: readonly number[],
): Float64Array {
  const p = x[0]!.length;
  const scale = new Float64Array(p);
  for (const i of rows) for (let j = 0; j < p; j++) scale[j] += (x[i]![j]! / relativeTo[i]!) ** 2;
  for (let j = 0; j < p; j++) scale[j] = scale[j]! > 0 ? 1 / Math.sqrt(scale[j]!) : 1;
  const a = Array.from({ length: p }, (_, j) => new Float64Array(j + 1));
  const b = new Float64Array(p);
  for (const i of rows) {
    const w = 1 / relativeTo[i]!;
    for (let j = 0; j < p; j++) {
      const scaled = x[i]![j]! * w * scale[j]!;
      if (scaled === 0) continue;
      b[j] += scaled * w * y[i]!;
      for (let k = 0; k <= j; k++) a[j]![k] += scaled * x[i]![k]! * w * scale[k]!;
    }
  }
  const factor = new Cholesky(p, 1e-9);
  for (const row of a)
    if (!factor.append(row))
      throw new RangeError('the features do not tell the coefficients apart');
  factor.solveLower(b);
  factor.solveUpper(b);
  for (let j = 0; j < p; j++) b[j] *= scale[j]!;
  return b;
}
