/**
 * LogEI of a candidate's neighbours, without an O(N^2) solve for each.
 *
 * | symbol | shape  | meaning                                                                     |
 * |--------|--------|-----------------------------------------------------------------------------|
 * | A      | [N, N] | noisy covariance of the trials, L its Cholesky factor                       |
 * | k, k'  | [N]    | covariance of the base and of a neighbour with the trials                   |
 * | k0     | scalar | prior variance, the same everywhere                                         |
 * | z      | [N]    | A^-1 k, solved for once per base                                            |
 * | f*     | scalar | greatest posterior mean over the trials (noisy scores are no incumbents)    |
 *
 * A flipped bit multiplies each element of the heat factor by rho or 1/rho and shifts the linear one: k' costs O(N).
 * Its mean is k' . alpha. Its variance k0 - k'^T A^-1 k' is bounded by Cauchy-Schwarz in the A^-1 inner product:
 * (k'^T A^-1 k)^2 <= (k'^T A^-1 k')(k^T A^-1 k), so variance <= k0 - (k'.z)^2 / (k.z), in O(N). LogEI grows with the
 * variance, so the bound bounds LogEI, and neighbours need an exact variance only while their bound beats the best.
 */
import type { Candidate } from '../candidate.js';
import { dot } from '../gp/cholesky.js';
import { type CrossFactors, crossCovariance, crossFactors, draftFactor } from '../gp/kernel.js';
import { logExpectedImprovement } from '../gp/logei.js';
import type { GaussianProcess } from '../gp/model.js';
import { encode, encodeDraft } from '../gp/points.js';
import type { Move } from './neighbourhood.js';

/** A base point with what its neighbours share. */
export interface Base {
  readonly candidate: Candidate;
  readonly signs: Int8Array;
  readonly factors: CrossFactors;
  /** z, [N]. */
  readonly solved: Float64Array;
  /** k . z. */
  readonly explained: number;
  /** LogEI of the candidate itself. */
  readonly value: number;
}

export class Acquisition {
  readonly model: GaussianProcess;
  /** f*, standardised. */
  readonly incumbent: number;
  // Scratch: the search would otherwise spend a third of its time on short-lived arrays.
  readonly #batch: Float64Array;
  readonly #heat: Float64Array;
  readonly #linear: Float64Array;

  constructor(model: GaussianProcess) {
    this.model = model;
    this.incumbent = model.observedMeans().reduce((best, mean) => Math.max(best, mean), -Infinity);
    this.#batch = new Float64Array(4 * model.count);
    this.#heat = new Float64Array(model.count);
    this.#linear = new Float64Array(model.count);
  }

  /** Prepares a base point. O(N n + N^2). */
  base(candidate: Candidate): Base {
    const { model } = this;
    const point = encode(candidate);
    const factors = crossFactors(model.points, point, model.hyperparameters.kernel);
    const k = crossCovariance(factors);
    const solved = k.slice();
    model.cholesky.solveLower(solved);
    model.cholesky.solveUpper(solved);
    const explained = dot(k, 0, solved, 0, k.length);
    const value = this.#logEi(
      dot(k, 0, model.weights, 0, k.length),
      model.priorVariance - explained,
    );
    return { candidate, signs: point.signs, factors, solved, explained, value };
  }

  /** An upper bound of LogEI at the neighbour. O(N). */
  bound(base: Base, move: Move): number {
    const k = this.covariance(base, move);
    const shared = dot(k, 0, base.solved, 0, k.length);
    const variance =
      this.model.priorVariance - (base.explained > 0 ? (shared * shared) / base.explained : 0);
    return this.#logEi(dot(k, 0, this.model.weights, 0, k.length), variance);
  }

  /** LogEI of one to four neighbours. O(N^2) for all of them together. */
  exact(base: Base, moves: readonly Move[]): number[] {
    const means = moves.map((move, r) => {
      const k = this.covariance(base, move);
      for (let a = 0; a < k.length; a++) this.#batch[4 * a + r] = k[a];
      return dot(k, 0, this.model.weights, 0, k.length);
    });
    const explained = this.model.cholesky.solveLowerNorms(this.#batch);
    return means.map((mean, r) => this.#logEi(mean, this.model.priorVariance - explained[r]));
  }

  /** k' of a neighbour, [N], from the factors of its base. O(N). The array is used again by the next call. */
  covariance(base: Base, move: Move): Float64Array {
    const { points, hyperparameters } = this.model;
    const { kernel } = hyperparameters;
    const heat = this.#heat;
    const linear = this.#linear;
    heat.set(base.factors.heat);
    linear.set(base.factors.linear);
    for (const i of move.flips) {
      const sign = base.signs[i];
      const apart = Math.exp(-kernel.decay[i]);
      const together = 1 / apart;
      const shift = (-2 * sign * kernel.linearVariance) / points.bits;
      for (let a = 0, at = i; a < heat.length; a++, at += points.bits) {
        const other = points.signs[at];
        heat[a] *= other === sign ? apart : together;
        linear[a] += shift * other;
      }
    }
    const draft = move.draft
      ? draftFactor(points, encodeDraft(move.draft), kernel)
      : base.factors.draft;
    for (let a = 0; a < heat.length; a++) heat[a] = (heat[a] + linear[a]) * draft[a];
    return heat;
  }

  #logEi(mean: number, variance: number): number {
    // Rounding may leave a variance of 0 or less next to a trial told without noise.
    const sd = Math.sqrt(Math.max(variance, 1e-12 * this.model.priorVariance));
    return logExpectedImprovement(mean, sd, this.incumbent);
  }
}
