/**
 * The covariance of two candidates' scores:
 *
 *   k(a, b) = [ s_h prod_{i: x_ai != x_bi} rho_i  +  s_b  +  s_l/n sum_i x_ai x_bi ]
 *             * exp(-1/2 sum_j (u_aj - u_bj)^2 / l_j^2)  *  exp(-mu [e_a != e_b])
 *
 * | symbol   | shape  | meaning                                                                        |
 * |----------|--------|--------------------------------------------------------------------------------|
 * | x, u, e  |        | mask signs, scaled draft parameters, exit kind (points.ts)                     |
 * | s_h      | scalar | variance of the heat kernel on the hypercube                                   |
 * | rho_i    | [n]    | its factor where bit i differs, rho_i = tanh(beta_i)                           |
 * |          |        |   = (1 - exp(-2 beta_i)) / (1 + exp(-2 beta_i)), beta_i the diffusion time     |
 * | lambda_i | [n]    | -log rho_i > 0, the decay per differing bit: what is fitted (1/length scale)   |
 * | s_b, s_l | scalar | prior variances of the intercept and of the n slopes together (linear term)    |
 * | l_j      | [2]    | length scales of draft length and threshold                                    |
 * | mu       | scalar | decay where the exit kinds differ                                              |
 *
 * The heat kernel is that of COMBO (Oh et al. 2019, eq. 7) and CASMOPOLITAN (Wan et al. 2021); the linear term is
 * Bayesian linear regression on +-1 bits with one shared slope variance. k(a, a) = s_h + s_b + s_l for every a.
 */
import type { EncodedDraft, EncodedPoint, Points } from './points.js';

/** The kernel's hyperparameters, see the table above. All are positive. */
export interface KernelParameters {
  readonly heatVariance: number;
  readonly biasVariance: number;
  readonly linearVariance: number;
  /** lambda, [n]. */
  readonly decay: Float64Array;
  /** l_1, l_2. */
  readonly draftScales: readonly [number, number];
  /** mu. */
  readonly exitDecay: number;
}

/** The three factors of k(a, q) for one query q and all N points: k = (heat + linear) * draft, each [N]. */
export interface CrossFactors {
  readonly heat: Float64Array;
  readonly linear: Float64Array;
  readonly draft: Float64Array;
}

/** k(a, a), the same for every candidate. */
export function priorVariance(p: KernelParameters): number {
  return p.heatVariance + p.biasVariance + p.linearVariance;
}

/** The factors for `query` against the first `count` points (default: all). O(N n). */
export function crossFactors(
  points: Points,
  query: EncodedPoint,
  p: KernelParameters,
  count: number = points.count,
): CrossFactors {
  const n = points.bits;
  const x = query.signs;
  const weighted = p.decay.map((decay, i) => decay * x[i]);
  const total = p.decay.reduce((sum, decay) => sum + decay, 0);
  const heat = new Float64Array(count);
  const linear = new Float64Array(count);
  for (let a = 0; a < count; a++) {
    let agreement = 0;
    let product = 0;
    for (let i = 0, at = a * n; i < n; i++, at++) {
      agreement += weighted[i] * points.signs[at];
      product += x[i] * points.signs[at];
    }
    heat[a] = p.heatVariance * Math.exp((agreement - total) / 2);
    linear[a] = p.biasVariance + (p.linearVariance / n) * product;
  }
  return { heat, linear, draft: draftFactor(points, query, p, count) };
}

/** exp(-1/2 |u - u_q|^2 / l^2 - mu [e != e_q]) for the first `count` points. O(N). */
export function draftFactor(
  points: Points,
  query: EncodedDraft,
  p: KernelParameters,
  count: number = points.count,
): Float64Array {
  const [u0, u1] = query.draft;
  const factor = new Float64Array(count);
  for (let a = 0; a < count; a++) {
    const d0 = (points.draft[2 * a] - u0) / p.draftScales[0];
    const d1 = (points.draft[2 * a + 1] - u1) / p.draftScales[1];
    factor[a] = Math.exp(
      -(d0 * d0 + d1 * d1) / 2 - (points.exit[a] === query.exit ? 0 : p.exitDecay),
    );
  }
  return factor;
}

/** k(a, q) from its factors, [N]. */
export function crossCovariance({ heat, linear, draft }: CrossFactors): Float64Array {
  const k = new Float64Array(heat.length);
  for (let a = 0; a < k.length; a++) k[a] = (heat[a] + linear[a]) * draft[a];
  return k;
}
