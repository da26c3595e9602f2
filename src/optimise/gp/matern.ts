/**
 * The Gaussian process of the reference's search (Draft & Verify, arXiv 2309.08168): what the package
 * `bayesian-optimization` makes of scikit-learn's regressor by default, with the reference's alpha.
 *
 * | symbol | shape  | meaning                                                                            |
 * |--------|--------|------------------------------------------------------------------------------------|
 * | D, N   | scalar | dimensions of the relaxed space; points told                                       |
 * | x      | [N, D] | points of [0, 1]^D                                                                 |
 * | y      | [N]    | scores, standardised anew whenever they are read (`normalize_y`)                   |
 * | l      | scalar | the one length scale, of greatest marginal likelihood                              |
 * | r      | scalar | distance of two points / l                                                         |
 * | k      | scalar | (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r), Matern 5/2 of unit variance           |
 * | noise  | scalar | 1e-2, the reference's `alpha`, in standardised units                               |
 * | L      |        | Cholesky factor of K + noise I                                                     |
 *
 * mean = k . alpha, variance = 1 - |L^-1 k|^2; with w = (K + noise I)^-1 k their gradients are sum_a alpha_a dk_a and
 * -2 sum_a w_a dk_a, where dk/dx = -(5/3) (1 + sqrt(5) r) exp(-sqrt(5) r) (x - x_a) / l^2.
 */
import { Cholesky, dot } from './cholesky.js';

/** The reference's `set_gp_params(alpha=1e-2)`. */
const NOISE = 1e-2;
/** The length scale is fitted anew whenever the points have grown by this factor (the reference: at every point). */
const REFIT_GROWTH = 1.2;
/** A fit reads at most this many points, the latest: it costs their cube, and one number takes no more to determine. */
const FIT_POINTS = 300;
/** Within these all masks are told apart and none alone: beyond them k is 0 or 1 between any two points. */
const SHORTEST = 1e-2;
const LONGEST = 1e2;
const GRID = 17;
const GOLDEN_STEPS = 14;
const SQRT5 = Math.sqrt(5);

export class MaternProcess {
  readonly dimensions: number;
  count = 0;
  #points = new Float64Array(0);
  readonly #scores: number[] = [];
  #cholesky = new Cholesky(64);
  #lengthScale = 1;
  #fittedOn = 0;
  #alpha: Float64Array | undefined;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
  }

  /** l, of the last scheduled fit. */
  get lengthScale(): number {
    return this.#lengthScale;
  }

  /** Adds a point of [0, 1]^D and its score. */
  append(point: Float64Array, score: number): void {
    const at = this.count * this.dimensions;
    if (at === this.#points.length) {
      const larger = new Float64Array(Math.max(64 * this.dimensions, 2 * at));
      larger.set(this.#points);
      this.#points = larger;
    }
    this.#points.set(point, at);
    this.#scores.push(score);
    this.count++;
    this.#alpha = undefined;
  }

  /**
   * Brings factor and weights up to date; before the first query after an append. The length scale is a function of the
   * points told alone. O(N^2) for a point, a fit of at most `FIT_POINTS` points now and then.
   */
  update(): void {
    if (this.#alpha || this.count === 0) return;
    let fitOn = 1;
    while (Math.ceil(fitOn * REFIT_GROWTH) <= this.count) fitOn = Math.ceil(fitOn * REFIT_GROWTH);
    if (fitOn !== this.#fittedOn) {
      this.#lengthScale = this.#fit(fitOn);
      this.#fittedOn = fitOn;
      this.#cholesky = new Cholesky(this.count);
    }
    for (let a = this.#cholesky.size; a < this.count; a++) {
      const row = this.covariance(this.#at(a), a + 1);
      row[a] = 1 + NOISE;
      // The noise keeps every pivot above 1e-2.
      this.#cholesky.append(row);
    }
    const alpha = standardised(this.#scores);
    this.#cholesky.solveLower(alpha);
    this.#cholesky.solveUpper(alpha);
    this.#alpha = alpha;
  }

  /** k of a point with the first `count` points told, [count]. O(N D). */
  covariance(point: Float64Array, count: number = this.count): Float64Array {
    const k = new Float64Array(count);
    for (let a = 0; a < count; a++) k[a] = matern(this.#distance(point, a) / this.#lengthScale);
    return k;
  }

  /** Posterior mean and variance of a noise-free score, standardised. O(N D + N^2). */
  posterior(point: Float64Array): { readonly mean: number; readonly variance: number } {
    const k = this.covariance(point);
    const mean = dot(k, 0, this.#weights(), 0, k.length);
    this.#cholesky.solveLower(k);
    return { mean, variance: Math.max(0, 1 - dot(k, 0, k, 0, k.length)) };
  }

  /** Upper confidence bounds mean + kappa sd of one to four points, [4]. Each element of L is read once for all. */
  upperBounds(points: readonly Float64Array[], kappa: number): number[] {
    const batch = new Float64Array(4 * this.count);
    const means = points.map((point, r) => {
      const k = this.covariance(point);
      for (let a = 0; a < k.length; a++) batch[4 * a + r] = k[a];
      return dot(k, 0, this.#weights(), 0, k.length);
    });
    const explained = this.#cholesky.solveLowerNorms(batch);
    return means.map((mean, r) => mean + kappa * Math.sqrt(Math.max(0, 1 - explained[r])));
  }

  /** Upper confidence bound and its gradient, [D]. O(N D + N^2). */
  upperBound(point: Float64Array, kappa: number): { value: number; gradient: Float64Array } {
    const { count, dimensions: n } = this;
    const k = this.covariance(point);
    const alpha = this.#weights();
    const mean = dot(k, 0, alpha, 0, count);
    const w = k.slice();
    this.#cholesky.solveLower(w);
    const sd = Math.sqrt(Math.max(1e-12, 1 - dot(w, 0, w, 0, count)));
    this.#cholesky.solveUpper(w);
    const gradient = new Float64Array(n);
    for (let a = 0, at = 0; a < count; a++, at += n) {
      const r = this.#distance(point, a) / this.#lengthScale;
      const slope = (-5 / 3) * (1 + SQRT5 * r) * Math.exp(-SQRT5 * r);
      const factor = ((alpha[a] - (kappa * w[a]) / sd) * slope) / this.#lengthScale ** 2;
      for (let i = 0; i < n; i++) gradient[i] += factor * (point[i] - this.#points[at + i]);
    }
    return { value: mean + kappa * sd, gradient };
  }

  #weights(): Float64Array {
    if (!this.#alpha) throw new Error('the model was not updated after its last point');
    return this.#alpha;
  }

  #at(a: number): Float64Array {
    return this.#points.subarray(a * this.dimensions, (a + 1) * this.dimensions);
  }

  #distance(point: Float64Array, a: number): number {
    let sum = 0;
    for (let i = 0, at = a * this.dimensions; i < point.length; i++, at++)
      sum += (point[i] - this.#points[at]) ** 2;
    return Math.sqrt(sum);
  }

  /** The length scale of greatest marginal likelihood: a grid of its logarithm, then golden sections about the best. */
  #fit(count: number): number {
    const first = Math.max(0, count - FIT_POINTS);
    const size = count - first;
    const distances = new Float64Array((size * (size - 1)) / 2);
    for (let a = 1; a < size; a++)
      for (let b = 0; b < a; b++)
        distances[(a * (a - 1)) / 2 + b] = this.#distance(this.#at(first + a), first + b);
    const y = standardised(this.#scores.slice(first, count));
    const likelihood = (logScale: number) =>
      logMarginalLikelihood(distances, y, Math.exp(logScale), NOISE);
    const step = Math.log(LONGEST / SHORTEST) / (GRID - 1);
    const grid = Array.from({ length: GRID }, (_, g) => Math.log(SHORTEST) + g * step);
    const values = grid.map(likelihood);
    const best = grid[values.indexOf(Math.max(...values))];
    return Math.exp(goldenMaximum(likelihood, best - step, best + step));
  }
}

/** k of the table above at a distance of r length scales. */
export function matern(r: number): number {
  return (1 + SQRT5 * r + (5 / 3) * r * r) * Math.exp(-SQRT5 * r);
}

/**
 * log p(y | l) = -1/2 y^T A^-1 y - 1/2 log det A - N/2 log 2 pi, A = K + noise I (Rasmussen and Williams 2006, eq. 5.8).
 * @param distances of points a > b at a (a - 1) / 2 + b, [N (N - 1) / 2].
 */
export function logMarginalLikelihood(
  distances: Float64Array,
  y: Float64Array,
  lengthScale: number,
  noise: number,
): number {
  const cholesky = new Cholesky(y.length);
  for (let a = 0, at = 0; a < y.length; a++) {
    const row = new Float64Array(a + 1);
    for (let b = 0; b < a; b++) row[b] = matern(distances[at++] / lengthScale);
    row[a] = 1 + noise;
    cholesky.append(row);
  }
  const solved = y.slice();
  cholesky.solveLower(solved);
  const fit = dot(solved, 0, solved, 0, solved.length);
  return -(fit + cholesky.logDeterminant() + y.length * Math.log(2 * Math.PI)) / 2;
}

function goldenMaximum(f: (x: number) => number, from: number, to: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [from, to];
  let [c, d] = [b - ratio * (b - a), a + ratio * (b - a)];
  let [fc, fd] = [f(c), f(d)];
  for (let step = 0; step < GOLDEN_STEPS; step++) {
    if (fc > fd) {
      [b, d, fd] = [d, c, fc];
      c = b - ratio * (b - a);
      fc = f(c);
    } else {
      [a, c, fc] = [c, d, fd];
      d = a + ratio * (b - a);
      fd = f(d);
    }
  }
  return (a + b) / 2;
}

function standardised(scores: readonly number[]): Float64Array {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length;
  const sd = variance > 0 ? Math.sqrt(variance) : 1;
  return Float64Array.from(scores, (score) => (score - mean) / sd);
}
