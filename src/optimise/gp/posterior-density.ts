/**
 * The negative log posterior of theta and its gradient.
 *
 * | symbol | shape  | meaning                                                                  |
 * |--------|--------|--------------------------------------------------------------------------|
 * | y      | [N]    | standardised scores                                                      |
 * | v      | [N]    | told noise variances, standardised                                       |
 * | A      | [N, N] | K + diag(v + noise)                                                      |
 * | alpha  | [N]    | A^-1 y                                                                   |
 * | G      | [N, N] | d(log likelihood)/dA = (alpha alpha^T - A^-1) / 2                        |
 * | H      | [N, N] | heat part of K, with draft factors                                       |
 * | S      | [W256] | by byte of the masks and value of its differing bits: sum of 2 G_ab H_ab |
 *
 * log p(y | theta) = -1/2 y^T alpha - 1/2 log det A - N/2 log 2 pi (Rasmussen and Williams 2006, eq. 5.8, 5.9).
 * Bit i's gradient sums G_ab H_ab over pairs that differ in it: from S, which all bits share, in O(N^2 n / 8).
 */
import { Cholesky } from './cholesky.js';
import { fromTheta, THETA, thetaPrior } from './hyperparameters.js';
import { crossCovariance, crossFactors } from './kernel.js';
import type { Evaluation } from './lbfgs.js';
import type { Points } from './points.js';

/** A function of theta for `minimize`; its value is Infinity where A is not positive definite. */
export function negativeLogPosterior(
  points: Points,
  y: Float64Array,
  v: Float64Array,
): (theta: Float64Array) => Evaluation {
  const count = points.count;
  const prior = thetaPrior(points.bits);
  return (theta) => {
    const { kernel, noiseFloor } = fromTheta(theta);
    const cholesky = new Cholesky(count);
    const rows = [];
    for (let a = 0; a < count; a++) {
      const factors = crossFactors(points, points.at(a), kernel, a + 1);
      rows.push(factors);
      const row = crossCovariance(factors);
      row[a] += v[a] + noiseFloor;
      if (!cholesky.append(row))
        return { value: Infinity, gradient: new Float64Array(theta.length) };
    }
    const alpha = y.slice();
    cholesky.solveLower(alpha);
    cholesky.solveUpper(alpha);

    let value = cholesky.logDeterminant() / 2 + (count * Math.log(2 * Math.PI)) / 2;
    for (let a = 0; a < count; a++) value += (y[a] * alpha[a]) / 2;
    const gradient = likelihoodGradient(points, rows, alpha, cholesky.inverse(), theta);
    for (let k = 0; k < theta.length; k++) {
      const deviation = (theta[k] - prior.mean[k]) / prior.sd[k];
      value += (deviation * deviation) / 2;
      gradient[k] = deviation / prior.sd[k] - gradient[k];
    }
    return { value, gradient };
  };
}

/** Gradient of log p(y | theta), [8 + n]. `rows[a]` holds the factors of point a against points 0..a. */
function likelihoodGradient(
  points: Points,
  rows: readonly { heat: Float64Array; linear: Float64Array; draft: Float64Array }[],
  alpha: Float64Array,
  inverse: Float64Array,
  theta: Float64Array,
): Float64Array {
  const n = points.bits;
  const { kernel } = fromTheta(theta);
  const gradient = new Float64Array(theta.length);
  const { width, packed } = points;
  const differing = new Float64Array(width << 8);
  for (let a = 0; a < rows.length; a++) {
    const { heat, linear, draft } = rows[a];
    for (let b = 0; b <= a; b++) {
      // Both triangles at once: an off-diagonal pair counts twice.
      const g = (alpha[a] * alpha[b] - inverse[(a * (a + 1)) / 2 + b]) * (a === b ? 0.5 : 1);
      const h = g * heat[b] * draft[b];
      const l = g * linear[b] * draft[b];
      const bias = g * kernel.biasVariance * draft[b];
      gradient[THETA.heat] += h;
      gradient[THETA.bias] += bias;
      gradient[THETA.linear] += l - bias;
      if (a === b) {
        gradient[THETA.noise] += g * Math.exp(theta[THETA.noise]);
        continue;
      }
      const d0 = (points.draft[2 * a] - points.draft[2 * b]) / kernel.draftScales[0];
      const d1 = (points.draft[2 * a + 1] - points.draft[2 * b + 1]) / kernel.draftScales[1];
      gradient[THETA.lengthScale] += (h + l) * d0 * d0;
      gradient[THETA.thresholdScale] += (h + l) * d1 * d1;
      if (points.exit[a] !== points.exit[b])
        gradient[THETA.exitDecay] -= (h + l) * kernel.exitDecay;
      for (let w = 0; w < width; w++)
        differing[(w << 8) | (packed[a * width + w] ^ packed[b * width + w])] += h;
    }
  }
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let byte = 0; byte < 256; byte++)
      if ((byte >> (i & 7)) & 1) sum += differing[((i >> 3) << 8) | byte];
    const slope = -kernel.decay[i] * sum;
    gradient[THETA.deviation + i] = slope;
    gradient[THETA.commonDecay] += slope;
  }
  return gradient;
}
