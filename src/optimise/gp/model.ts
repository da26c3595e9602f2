/**
 * The Gaussian process posterior, grown a trial at a time.
 *
 * | symbol  | shape  | meaning                                                               |
 * |---------|--------|-----------------------------------------------------------------------|
 * | y       | [N]    | scores, standardised by the mean and sd of the trials the fit saw     |
 * | v       | [N]    | noise variances: told (standardised) + fitted floor                   |
 * | L       |        | Cholesky factor of K + diag(v)                                        |
 * | alpha   | [N]    | (K + diag(v))^-1 y                                                    |
 * | k       | [N]    | covariance of a query with the points                                 |
 *
 * mean = k . alpha, variance = k(q, q) - |L^-1 k|^2 (Rasmussen and Williams 2006, algorithm 2.1), of the score
 * without its noise. A trial costs O(N^2), and so does a variance; a mean costs O(N n).
 */
import type { Candidate } from '../candidate.js';
import { Cholesky, dot } from './cholesky.js';
import { fitHyperparameters } from './fit.js';
import type { Hyperparameters } from './hyperparameters.js';
import { crossCovariance, crossFactors, priorVariance } from './kernel.js';
import { encode, Points } from './points.js';

/** A finished trial as the model takes it. */
export interface Observation {
  readonly candidate: Candidate;
  readonly score: number;
  readonly noiseVariance: number;
}

/** Mean and variance of a candidate's noise-free score. */
export interface Posterior {
  readonly mean: number;
  readonly variance: number;
}

export class GaussianProcess {
  readonly points: Points;
  readonly hyperparameters: Hyperparameters;
  /** Mean and sd that standardise the scores. */
  readonly scale: { readonly mean: number; readonly sd: number };
  #cholesky: Cholesky;
  #y: number[] = [];
  #v: number[] = [];
  #alpha = new Float64Array(0);

  /**
   * @param bits mask length. @param hyperparameters in standardised units. @param scale see the field.
   */
  constructor(bits: number, hyperparameters: Hyperparameters, scale: { mean: number; sd: number }) {
    this.points = new Points(bits);
    this.hyperparameters = hyperparameters;
    this.scale = scale;
    this.#cholesky = new Cholesky(64);
  }

  /** A model with hyperparameters and scale fitted to `observations` (at least one), which it then holds. */
  static fit(bits: number, observations: readonly Observation[]): GaussianProcess {
    const model = GaussianProcess.fitTo(bits, observations);
    model.append(observations);
    return model;
  }

  /** The same, but it holds nothing yet. */
  static fitTo(bits: number, observations: readonly Observation[]): GaussianProcess {
    const mean = observations.reduce((sum, o) => sum + o.score, 0) / observations.length;
    const variance =
      observations.reduce((sum, o) => sum + (o.score - mean) ** 2, 0) / observations.length;
    const scale = { mean, sd: variance > 0 ? Math.sqrt(variance) : 1 };
    const points = new Points(bits);
    for (const { candidate } of observations) points.append(candidate);
    const y = Float64Array.from(observations, (o) => (o.score - mean) / scale.sd);
    const v = Float64Array.from(observations, (o) => o.noiseVariance / scale.sd ** 2);
    return new GaussianProcess(bits, fitHyperparameters(points, y, v), scale);
  }

  /** Trials held. */
  get count(): number {
    return this.#y.length;
  }

  /** The factor of K + diag(v), for batched variances. */
  get cholesky(): Cholesky {
    return this.#cholesky;
  }

  /** alpha, [N]. */
  get weights(): Float64Array {
    return this.#alpha;
  }

  /** k(q, q), the same for every candidate, in standardised units. */
  get priorVariance(): number {
    return priorVariance(this.hyperparameters.kernel);
  }

  /** Adds trials; the hyperparameters stay. O(N^2) each. */
  append(observations: readonly Observation[]): void {
    for (const { candidate, score, noiseVariance } of observations) {
      this.points.append(candidate);
      this.#y.push((score - this.scale.mean) / this.scale.sd);
      this.#v.push(noiseVariance / this.scale.sd ** 2 + this.hyperparameters.noiseFloor);
      if (!this.#cholesky.append(this.#row(this.#y.length - 1))) this.#refactor();
    }
    const alpha = Float64Array.from(this.#y);
    this.#cholesky.solveLower(alpha);
    this.#cholesky.solveUpper(alpha);
    this.#alpha = alpha;
  }

  /** Posterior means of the trials held, standardised, [N]: K alpha = y - diag(v) alpha. O(N). */
  observedMeans(): Float64Array {
    return this.#alpha.map((a, i) => this.#y[i] - (this.#v[i] + this.#cholesky.jitter) * a);
  }

  /** Mean and variance of any candidate, in score units. */
  posterior(candidate: Candidate): Posterior {
    const k = crossCovariance(
      crossFactors(this.points, encode(candidate), this.hyperparameters.kernel),
    );
    const mean = dot(k, 0, this.#alpha, 0, k.length);
    this.#cholesky.solveLower(k);
    const variance = Math.max(0, this.priorVariance - dot(k, 0, k, 0, k.length));
    return {
      mean: this.scale.mean + this.scale.sd * mean,
      variance: variance * this.scale.sd ** 2,
    };
  }

  #row(a: number): Float64Array {
    const row = crossCovariance(
      crossFactors(this.points, this.points.at(a), this.hyperparameters.kernel, a + 1),
    );
    row[a] += this.#v[a];
    return row;
  }

  /** Factors all rows anew with ten times the jitter, until they factor. */
  #refactor(): void {
    let jitter = this.#cholesky.jitter;
    let cholesky: Cholesky;
    let complete: boolean;
    do {
      jitter = Math.max(1e-10 * this.priorVariance, jitter * 10);
      cholesky = new Cholesky(this.#y.length, jitter);
      complete = true;
      for (let a = 0; a < this.#y.length && complete; a++) complete = cholesky.append(this.#row(a));
    } while (!complete);
    this.#cholesky = cholesky;
  }
}
