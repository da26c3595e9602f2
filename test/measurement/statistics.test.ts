import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holm, rankCorrelation } from '../../src/measurement/statistics.js';

test('holm: a worked example', () => {
  // Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, each at least the one before.
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  [0.03, 0.06, 0.06, 0.02].forEach((p, i) => {
    expect(adjusted[i]).toBeCloseTo(p, 12);
  });
});

test('holm: between the plain p-value and Bonferroni, in the same order', () => {
  const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
  fc.assert(
    fc.property(pValues, (ps) => {
      const adjusted = holm(ps);
      ps.forEach((p, i) => {
        expect(adjusted[i]).toBeGreaterThanOrEqual(p);
        expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, p * ps.length));
        ps.forEach((q, j) => {
          if (p < q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]);
        });
      });
    }),
  );
});

test('rankCorrelation: monotonic, reversed, tied, undefined', () => {
  const x = Array.from({ length: 10 }, (_, i) => i);
  expect(
    rankCorrelation(
      x,
      x.map((value) => 10 ** value),
    ),
  ).toBeCloseTo(1, 12);
  expect(
    rankCorrelation(
      x,
      x.map((value) => -value),
    ),
  ).toBeCloseTo(-1, 12);
  // Ranks 0 to 7, 8.5, 8.5 on one side: their covariance with 0 to 9 is 82, the variances 82 and 82.5.
  const tied = x.map((value) => Math.min(value, 8));
  expect(rankCorrelation(x, tied)).toBeCloseTo(82 / Math.sqrt(82 * 82.5), 12);
  expect(
    rankCorrelation(
      x.map(() => 1),
      x,
    ),
  ).toBeUndefined();
  expect(rankCorrelation(x.slice(1), x.slice(1))).toBeUndefined();
  expect(() => rankCorrelation([1, 2, 3], [1, 2])).toThrow(RangeError);
});
