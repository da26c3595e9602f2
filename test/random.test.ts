import { expect, test } from 'vitest';
import { Random } from '../src/random.js';

const first = (seed: number, count: number, stream = 0) => {
  const random = new Random(seed, stream);
  return Array.from({ length: count }, () => random.uniform());
};

/** Chi-squared statistic of whole numbers in [0, bins) that should be equally frequent. */
function chiSquared(values: readonly number[], bins: number): number {
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) counts[value]++;
  const expected = values.length / bins;
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}

test('the same stream for the same seed, another for one that differs in any part', () => {
  const seeds = [0, 1, 2, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
  expect(first(5, 20)).toEqual(first(5, 20));
  expect(first(5, 20, 1)).not.toEqual(first(5, 20));
  expect(new Set(seeds.map((seed) => first(seed, 1)[0])).size).toBe(seeds.length);
});

// 99.99% points of the chi-squared distribution: 49 at 19 degrees of freedom, 28 at 6.
test('uniform in [0, 1): over 20 bins, for neighbouring seeds and along one stream', () => {
  const samples = [first(3, 20_000), Array.from({ length: 20_000 }, (_, s) => first(s, 1)[0])];
  for (const values of samples) {
    const bins = values.map((value) => Math.floor(20 * value));
    expect(chiSquared(bins, 20)).toBeLessThan(49);
  }
});

test('whole numbers below a bound are equally frequent, and a shuffle puts each item anywhere', () => {
  const random = new Random(11);
  const integers = Array.from({ length: 14_000 }, () => random.integer(7));
  expect(chiSquared(integers, 7)).toBeLessThan(28);
  const places = integers.map(() => random.shuffle([0, 1, 2, 3, 4, 5, 6]).indexOf(2));
  expect(chiSquared(places, 7)).toBeLessThan(28);
  expect(random.shuffle([3, 1, 2]).sort()).toEqual([1, 2, 3]);
});

test('normal numbers have mean 0, variance 1 and normal tails', () => {
  const random = new Random(2);
  const values = Array.from({ length: 40_000 }, () => random.normal());
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(variance - 1)).toBeLessThan(0.03);
  const beyond = values.filter((x) => Math.abs(x) > 1.959964).length / values.length;
  expect(Math.abs(beyond - 0.05)).toBeLessThan(0.005);
});
