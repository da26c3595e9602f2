import { expect, test } from 'vitest';
import { randomStream } from '../src/random.js';

const first = (seed: number, count: number) => {
  const random = randomStream(seed);
  return Array.from({ length: count }, random);
};

test('the same stream for the same seed, another for one that differs in any part', () => {
  const seeds = [0, 1, 2, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
  expect(first(5, 20)).toEqual(first(5, 20));
  expect(new Set(seeds.map((seed) => first(seed, 1)[0])).size).toBe(seeds.length);
});

test('uniform in [0, 1): chi-squared over 20 bins, for neighbouring seeds and along one stream', () => {
  const samples = [first(3, 20_000), Array.from({ length: 20_000 }, (_, s) => first(s, 1)[0])];
  for (const values of samples) {
    const bins = new Array<number>(20).fill(0);
    for (const value of values) bins[Math.floor(20 * value)]++;
    const chiSquared = bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    // 99.99% point of 19 degrees of freedom.
    expect(chiSquared).toBeLessThan(49);
  }
});
