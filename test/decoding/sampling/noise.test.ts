import { describe, expect, it } from 'vitest';
import {
  GUMBEL_RANGE,
  gumbel,
  STREAM,
  threefry2x32,
  UNIFORM_STEP,
  uniform,
} from '../../../src/decoding/sampling/noise.js';
import { chiSquare, chiSquareLimit } from '../../helpers/chi-square.js';

describe('threefry2x32', () => {
  // Random123, tests/kat_vectors, "threefry2x32 20": counter, key, expected.
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x243f6a88, 0x85a308d3],
      [0x13198a2e, 0x03707344],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])('answers the known vector of counter %o, key %o', (counter, key, expected) => {
    const words = new Int32Array(2);
    threefry2x32(key[0] | 0, key[1] | 0, counter[0] | 0, counter[1] | 0, words);
    expect(Array.from(words, (word) => word >>> 0)).toEqual(expected);
  });
});

describe('uniform', () => {
  it('is a pure function that stays strictly inside (0, 1) on its grid', () => {
    let low = 1;
    let high = 0;
    for (let position = 0; position < 100_000; position++) {
      const u = uniform(3, STREAM.gumbel, position, 17);
      low = Math.min(low, u);
      high = Math.max(high, u);
      if (!Number.isInteger(u / UNIFORM_STEP)) expect.fail(`${u} is off the grid`);
    }
    expect(low).toBeGreaterThan(0);
    expect(high).toBeLessThan(1);
    expect(low).toBeLessThan(1e-4);
    expect(high).toBeGreaterThan(1 - 1e-4);
    expect(uniform(3, STREAM.gumbel, 5, 17)).toBe(uniform(3, STREAM.gumbel, 5, 17));
  });

  it('differs by every bit of the seed, by stream, position and token', () => {
    const seeds = Array.from({ length: 53 }, (_, bit) => 2 ** bit);
    const seen = new Set<number>();
    for (const seed of [0, -1, -(2 ** 40), ...seeds]) seen.add(uniform(seed, STREAM.gumbel, 0, 0));
    for (const stream of [STREAM.draft, STREAM.accept, STREAM.target]) {
      seen.add(uniform(0, stream, 0, 0));
    }
    for (let i = 1; i <= 100; i++) {
      seen.add(uniform(0, STREAM.gumbel, i, 0));
      seen.add(uniform(0, STREAM.gumbel, 0, i));
    }
    expect(seen.size).toBe(3 + 53 + 3 + 200);
  });

  it.each(['position', 'token', 'stream', 'seed'] as const)(
    'is uniform, and independent of its neighbour, along %s',
    (axis) => {
      const cells = 16;
      const pairs = new Float64Array(cells * cells);
      const at = (i: number): number => {
        if (axis === 'position') return uniform(11, STREAM.gumbel, i, 3);
        if (axis === 'token') return uniform(11, STREAM.gumbel, 3, i);
        if (axis === 'stream') return uniform(11, i % 4, 3 + (i >> 2), 0);
        return uniform(i, STREAM.gumbel, 3, 3);
      };
      for (let i = 0; i < 40_000; i++) {
        pairs[Math.floor(at(i) * cells) * cells + Math.floor(at(i + 1) * cells)]++;
      }
      const flat = new Float64Array(cells * cells).fill(cells ** -2);
      const statistic = chiSquare(pairs, flat);
      expect(statistic).toBeLessThan(chiSquareLimit(cells * cells - 1));
      // Too even is not random either.
      expect(statistic).toBeGreaterThan(150);
    },
  );
});

describe('gumbel', () => {
  it('is finite at both ends and spans less than its range', () => {
    const least = gumbel(UNIFORM_STEP);
    const most = gumbel(1 - UNIFORM_STEP);
    expect(least).toBeCloseTo(-3.604, 3);
    expect(most).toBeCloseTo(36.737, 3);
    expect(most - least).toBeLessThan(GUMBEL_RANGE);
  });
});
