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
 * | rho_i    | [n]    | its factor where bit i differs                                                 |
 * | lambda_i | [n]    | -log rho_i > 0, the decay per differing bit: what is fitted (1/length scale)   |
 * | s_b, s_l | scalar | prior variances of the intercept and of the n slopes together (linear term)    |
 * | l_j      | [2]    | length scales of draft length and threshold                                    |
 * | mu       | scalar | decay where the exit kinds differ                                              |
 *
 * Heat kernel and linear term, and where they are from: docs/search.md.
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

/** The factors for `query` against the first `count` points (default: all). O(N n / 8). */
export function crossFactors(
  points: Points,
  query: EncodedPoint,
  p: KernelParameters,
  count: number = points.count,
): CrossFactors {
  const { bits: n, width, packed } = points;
  const { decays, ones } = byteSums(p.decay);
  const heat = new Float64Array(count);
  const linear = new Float64Array(count);
  for (let a = 0, at = 0; a < count; a++) {
    let decay = 0;
    let apart = 0;
    for (let w = 0; w < width; w++, at++) {
      const differing = (w << 8) | (packed[at] ^ query.packed[w]);
      decay += decays[differing];
      apart += ones[differing];
    }
    heat[a] = p.heatVariance * Math.exp(-decay);
    linear[a] = p.biasVariance + (p.linearVariance / n) * (n - 2 * apart);
  }
  return { heat, linear, draft: draftFactor(points, query, p, count) };
}

/** By byte of a mask and value of the eight bits that differ: their sum of lambda, and how many they are. */
interface ByteSums {
  readonly decays: Float64Array;
  readonly ones: Uint8Array;
}

const sumsOfDecay = new WeakMap<Float64Array, ByteSums>();

/** Made once for every vector of lambda, which is never written to again: a pair then costs n / 8 look-ups. */
function byteSums(decay: Float64Array): ByteSums {
  const known = sumsOfDecay.get(decay);
  if (known) return known;
  const width = Math.ceil(decay.length / 8);
  const sums = { decays: new Float64Array(width << 8), ones: new Uint8Array(width << 8) };
  for (let w = 0; w < width; w++) {
    for (let byte = 1; byte < 256; byte++) {
      const lowest = 31 - Math.clz32(byte & -byte);
      const rest = (w << 8) | (byte & (byte - 1));
      sums.decays[(w << 8) | byte] = sums.decays[rest] + (decay[8 * w + lowest] ?? 0);
      sums.ones[(w << 8) | byte] = sums.ones[rest] + 1;
    }
  }
  sumsOfDecay.set(decay, sums);
  return sums;
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
