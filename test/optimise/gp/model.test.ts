import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SearchSpace } from '../../../src/optimise/candidate.js';
import { Cholesky } from '../../../src/optimise/gp/cholesky.js';
import { thetaPrior } from '../../../src/optimise/gp/hyperparameters.js';
import { crossCovariance, crossFactors } from '../../../src/optimise/gp/kernel.js';
import { GaussianProcess } from '../../../src/optimise/gp/model.js';
import { encode, Points } from '../../../src/optimise/gp/points.js';
import { negativeLogPosterior } from '../../../src/optimise/gp/posterior-density.js';
import { Random } from '../../../src/random.js';
import {
  kernelByHand,
  randomCandidate,
  randomKernel,
  randomObservations,
  solveDense,
} from '../oracle.js';

const space: SearchSpace = { bits: 10, draft: 'search' };

describe('kernel', () => {
  it('equals its formula and is positive definite', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const random = new Random(seed);
        const kernel = randomKernel(space.bits, random);
        const candidates = Array.from({ length: 25 }, () => randomCandidate(space, random));
        const points = new Points(space.bits, 1);
        for (const candidate of candidates) points.append(candidate);
        const cholesky = new Cholesky(1);
        for (const [a, candidate] of candidates.entries()) {
          const row = crossCovariance(crossFactors(points, encode(candidate), kernel, a + 1));
          for (let b = 0; b <= a; b++)
            expect(row[b]).toBeCloseTo(kernelByHand(candidate, candidates[b], kernel), 9);
          row[a] += 1e-8;
          expect(cholesky.append(row)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('GaussianProcess', () => {
  it('has the mean and variance of a dense direct solve, after a fit and after grown rows', () => {
    const random = new Random(5);
    const observations = randomObservations(space, 45, random);
    const model = GaussianProcess.fit(space.bits, observations.slice(0, 30));
    for (const observation of observations.slice(30)) model.append([observation]);
    const { kernel, noiseFloor } = model.hyperparameters;
    const { mean, sd } = model.scale;
    const a = observations.map((p, i) =>
      observations.map(
        (q, j) =>
          kernelByHand(p.candidate, q.candidate, kernel) +
          (i === j ? noiseFloor + p.noiseVariance / sd ** 2 : 0),
      ),
    );
    const alpha = solveDense(
      a,
      observations.map((o) => (o.score - mean) / sd),
    );
    const meanAt = (k: number[]) => mean + sd * k.reduce((sum, v, i) => sum + v * alpha[i], 0);
    for (let query = 0; query < 20; query++) {
      const candidate = randomCandidate(space, random);
      const k = observations.map((o) => kernelByHand(candidate, o.candidate, kernel));
      const solved = solveDense(a, k);
      const explained = k.reduce((sum, v, i) => sum + v * solved[i], 0);
      const variance = sd ** 2 * (kernelByHand(candidate, candidate, kernel) - explained);
      const posterior = model.posterior(candidate);
      expect(posterior.mean).toBeCloseTo(meanAt(k), 8);
      expect(posterior.variance).toBeCloseTo(variance, 8);
    }
    const observed = model.observedMeans();
    for (const [i, o] of observations.entries())
      expect(mean + sd * observed[i]).toBeCloseTo(model.posterior(o.candidate).mean, 8);
  });

  it('survives repeated noiseless trials of one candidate', () => {
    const random = new Random(1);
    const candidate = randomCandidate(space, random);
    const observations = randomObservations(space, 8, random);
    const model = GaussianProcess.fit(space.bits, observations);
    for (let i = 0; i < 30; i++) model.append([{ candidate, score: 1.3, noiseVariance: 0 }]);
    expect(model.posterior(candidate).mean).toBeCloseTo(1.3, 1);
    expect(model.posterior(candidate).variance).toBeGreaterThanOrEqual(0);
  });
});

describe('Cholesky', () => {
  const spd = (n: number, random: Random) => {
    const b = Array.from({ length: n }, () => Array.from({ length: n }, () => random.normal()));
    return b.map((row, i) =>
      b.map((other, j) => row.reduce((s, v, k) => s + v * other[k], i === j ? 0.1 : 0)),
    );
  };

  it('grown from nothing equals one with reserved room, and multiplies back to the matrix', () => {
    const a = spd(23, new Random(2));
    const grown = new Cholesky(0);
    const full = new Cholesky(23);
    for (const [i, row] of a.entries())
      for (const c of [grown, full])
        expect(c.append(Float64Array.from(row.slice(0, i + 1)))).toBe(true);
    const l = full.packed;
    expect(grown.packed.subarray(0, 276)).toEqual(l.subarray(0, 276));
    const at = (i: number, j: number) => l[(i * (i + 1)) / 2 + j];
    for (let i = 0; i < 23; i++)
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let k = 0; k <= j; k++) sum += at(i, k) * at(j, k);
        expect(sum).toBeCloseTo(a[i][j], 9);
      }
  });

  it('solves, inverts and takes four norms like elimination does', () => {
    const random = new Random(3);
    const a = spd(13, random);
    const cholesky = new Cholesky(13);
    for (const [i, row] of a.entries()) cholesky.append(Float64Array.from(row.slice(0, i + 1)));
    const sides = [0, 1, 2, 3].map(() => Array.from({ length: 13 }, () => random.normal()));
    const batch = new Float64Array(52);
    for (const [r, side] of sides.entries())
      for (const [i, v] of side.entries()) batch[4 * i + r] = v;
    const norms = cholesky.solveLowerNorms(batch);
    const inverse = cholesky.inverse();
    for (const [r, side] of sides.entries()) {
      const expected = solveDense(a, side);
      const x = Float64Array.from(side);
      cholesky.solveLower(x);
      cholesky.solveUpper(x);
      for (const [i, v] of expected.entries()) {
        expect(x[i]).toBeCloseTo(v, 7);
        const row = side.map(
          (_, j) => inverse[i >= j ? (i * (i + 1)) / 2 + j : (j * (j + 1)) / 2 + i],
        );
        expect(row.reduce((sum, w, j) => sum + w * side[j], 0)).toBeCloseTo(v, 7);
      }
      expect(norms[r]).toBeCloseTo(
        expected.reduce((sum, v, i) => sum + v * side[i], 0),
        6,
      );
    }
  });

  it('refuses an indefinite row and stays as it was', () => {
    const cholesky = new Cholesky(2);
    expect(cholesky.append(Float64Array.of(1))).toBe(true);
    expect(cholesky.append(Float64Array.of(1, 1))).toBe(false);
    expect(cholesky.size).toBe(1);
  });
});

describe('negativeLogPosterior', () => {
  it('has the gradient of its finite differences', () => {
    const random = new Random(8);
    const observations = randomObservations(space, 20, random);
    const points = new Points(space.bits);
    for (const { candidate } of observations) points.append(candidate);
    const f = negativeLogPosterior(
      points,
      Float64Array.from(observations, (o) => (o.score - 1.2) / 0.2),
      Float64Array.from(observations, (o) => o.noiseVariance / 0.04),
    );
    const theta = thetaPrior(space.bits).mean.map((mean) => mean + 0.3 * random.normal());
    const { gradient } = f(theta);
    for (let k = 0; k < theta.length; k++) {
      const shifted = (step: number) => f(theta.map((v, i) => (i === k ? v + step : v))).value;
      expect(gradient[k]).toBeCloseTo((shifted(1e-5) - shifted(-1e-5)) / 2e-5, 4);
    }
  });
});
