import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cholesky } from '../../../src/optimise/gp/cholesky.js';
import { logMarginalLikelihood, MaternProcess } from '../../../src/optimise/gp/matern.js';
import { Random } from '../../../src/random.js';
import { solveDense } from '../oracle.js';

const NOISE = 0.01;
const distance = (a: Float64Array, b: Float64Array) =>
  Math.hypot(...Array.from(a, (x, i) => x - b[i]!));
/** Matern 5/2 written out from its formula, sharing nothing with src. */
const kernel = (r: number) => {
  const s = Math.sqrt(5) * r;
  return (1 + s + s ** 2 / 3) * Math.exp(-s);
};
const randomPoint = (dimensions: number, random: Random) =>
  Float64Array.from({ length: dimensions }, () => random.uniform());

/** Points with a smooth score, told one after the other. */
function told(count: number, dimensions: number, random: Random) {
  const points = Array.from({ length: count }, () => randomPoint(dimensions, random));
  const scores = points.map((x) => 2 + x[0]! - 3 * (x[1]! - 0.4) ** 2 + 0.1 * random.normal());
  const model = new MaternProcess(dimensions);
  for (const [i, point] of points.entries()) model.append(point, scores[i]!);
  model.update();
  const mean = scores.reduce((sum, y) => sum + y, 0) / count;
  const sd = Math.sqrt(scores.reduce((sum, y) => sum + (y - mean) ** 2, 0) / count);
  return { points, y: scores.map((score) => (score - mean) / sd), model };
}

describe('MaternProcess', () => {
  it('has the mean and variance of a dense direct solve', () => {
    const random = new Random(5);
    for (const [count, dimensions] of [
      [1, 3],
      [40, 5],
      [90, 2],
    ] as const) {
      const { points, model } = told(count, dimensions, random);
      const y = count === 1 ? [0] : told(count, dimensions, random).y;
      const own = count === 1 ? { points, y, model } : told(count, dimensions, random);
      const l = own.model.lengthScale;
      const a = own.points.map((p, i) =>
        own.points.map((q, j) => kernel(distance(p, q) / l) + (i === j ? NOISE : 0)),
      );
      const alpha = solveDense(a, own.y);
      for (let query = 0; query < 10; query++) {
        const point = randomPoint(dimensions, random);
        const k = own.points.map((p) => kernel(distance(p, point) / l));
        const solved = solveDense(a, k);
        const { mean, variance } = own.model.posterior(point);
        expect(mean).toBeCloseTo(
          k.reduce((sum, v, i) => sum + v * alpha[i]!, 0),
          8,
        );
        const expected = 1 - k.reduce((sum, v, i) => sum + v * solved[i]!, 0);
        expect(variance).toBeCloseTo(expected, 8);
        const bound = mean + 2 * Math.sqrt(variance);
        expect(own.model.upperBound(point, 2).value).toBeCloseTo(bound, 8);
        expect(own.model.upperBounds([point, points[0]!], 2)[0]).toBeCloseTo(bound, 8);
      }
    }
  });

  it('has the gradient of its finite differences', () => {
    const random = new Random(8);
    const { model } = told(30, 4, random);
    for (let i = 0; i < 5; i++) {
      const point = randomPoint(4, random);
      const { gradient } = model.upperBound(point, 2.576);
      for (let k = 0; k < 4; k++) {
        const at = (step: number) =>
          model.upperBound(
            point.map((x, j) => (j === k ? x + step : x)),
            2.576,
          ).value;
        expect(gradient[k]).toBeCloseTo((at(1e-6) - at(-1e-6)) / 2e-6, 4);
      }
    }
  });

  it('has a positive definite kernel', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const random = new Random(seed);
        const { points, model } = told(20, 3, random);
        const cholesky = new Cholesky(20);
        for (const [a, point] of points.entries()) {
          const row = model.covariance(point, a + 1);
          for (let b = 0; b <= a; b++)
            expect(row[b]).toBeCloseTo(kernel(distance(point, points[b]!) / model.lengthScale), 9);
          row[a]! += 1e-9;
          expect(cholesky.append(row)).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('fits the length scale that the marginal likelihood is greatest at', () => {
    const random = new Random(3);
    const { points, y, model } = told(60, 2, random);
    // The last fit was on fewer points: 49 = the last of the growing schedule within 60.
    const at = (l: number, count: number) => {
      const used = points.slice(0, count);
      const distances = used.flatMap((p, a) => used.slice(0, a).map((q) => distance(p, q)));
      const mean = y.slice(0, count).reduce((sum, v) => sum + v, 0) / count;
      const centred = y.slice(0, count).map((v) => v - mean);
      const sd = Math.sqrt(centred.reduce((sum, v) => sum + v * v, 0) / count);
      const scaled = Float64Array.from(centred, (v) => v / sd);
      return logMarginalLikelihood(Float64Array.from(distances), scaled, l, NOISE);
    };
    let fitOn = 1;
    while (Math.ceil(fitOn * 1.2) <= 60) fitOn = Math.ceil(fitOn * 1.2);
    const best = at(model.lengthScale, fitOn);
    for (let log = -4; log <= 4; log += 0.05)
      expect(best).toBeGreaterThan(at(Math.exp(log), fitOn) - 1e-4);
  });

  it('has the likelihood of its definition', () => {
    const random = new Random(4);
    const points = Array.from({ length: 4 }, () => randomPoint(2, random));
    const y = Float64Array.from({ length: 4 }, () => random.normal());
    const distances = points.flatMap((p, a) => points.slice(0, a).map((q) => distance(p, q)));
    const a = points.map((p, i) =>
      points.map((q, j) => kernel(distance(p, q) / 0.7) + (i === j ? NOISE : 0)),
    );
    const alpha = solveDense(a, [...y]);
    const fit = y.reduce((sum, v, i) => sum + v * alpha[i]!, 0);
    const expected = -(fit + Math.log(determinant(a)) + 4 * Math.log(2 * Math.PI)) / 2;
    expect(logMarginalLikelihood(Float64Array.from(distances), y, 0.7, NOISE)).toBeCloseTo(
      expected,
      9,
    );
  });
});

/** By expansion along the first row. */
function determinant(a: number[][]): number {
  if (a.length === 1) return a[0]![0]!;
  return a[0]!.reduce((sum, value, j) => {
    const minor = a.slice(1).map((row) => row.filter((_, k) => k !== j));
    return sum + (j % 2 === 0 ? 1 : -1) * value * determinant(minor);
  }, 0);
}
