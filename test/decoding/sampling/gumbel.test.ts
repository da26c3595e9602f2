import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFilter,
  createSurvivors,
  type Survivors,
} from '../../../src/decoding/sampling/filter.js';
import { gumbelToken } from '../../../src/decoding/sampling/gumbel.js';
import { gumbel, STREAM, uniform } from '../../../src/decoding/sampling/noise.js';
import { GREEDY, type SamplingOptions } from '../../../src/decoding/sampling/options.js';
import { chiSquare, chiSquareLimit } from '../../helpers/chi-square.js';

function survivorsOf(logits: ArrayLike<number>, change: Partial<SamplingOptions> = {}): Survivors {
  const options = { ...GREEDY, temperature: 1, ...change };
  const survivors = createSurvivors(options, logits.length);
  createFilter(options, logits.length)(Float32Array.from(logits), 0, survivors);
  return survivors;
}

/** Argmax over all survivors, no shortcut. */
function plain({ ids, scores, count }: Survivors, seed: number, position: number): number {
  let winner = -1;
  let best = -Infinity;
  for (let j = 0; j < count; j++) {
    const value = scores[j] + gumbel(uniform(seed, STREAM.gumbel, position, ids[j]));
    if (value > best) {
      best = value;
      winner = ids[j];
    }
  }
  return winner;
}

describe('gumbelToken', () => {
  it('is the argmax of scaled logits plus noise', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -50, max: 10, noNaN: true }), { minLength: 1, maxLength: 80 }),
        fc.constantFrom(0.3, 1, 3),
        fc.maxSafeInteger(),
        (logits, temperature, seed) => {
          const survivors = survivorsOf(logits, { temperature });
          for (let position = 0; position < 20; position++) {
            expect(gumbelToken(survivors, seed, position)).toBe(plain(survivors, seed, position));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('samples the softmax over positions, each independent of the one before', () => {
    const logits = [1, 0, -0.5, 2, 0, -2, 1.5, -1];
    const survivors = survivorsOf(logits, { temperature: 1.3 });
    const p = survivors.probabilities;
    const counts = new Float64Array(8);
    const pairs = new Float64Array(64);
    let before = gumbelToken(survivors, 5, 0);
    for (let position = 1; position <= 20_000; position++) {
      const token = gumbelToken(survivors, 5, position);
      counts[token]++;
      pairs[8 * before + token]++;
      before = token;
    }
    expect(chiSquare(counts, p)).toBeLessThan(chiSquareLimit(7));
    const joint = Float64Array.from(pairs, (_, i) => p[i >> 3] * p[i & 7]);
    expect(chiSquare(pairs, joint)).toBeLessThan(chiSquareLimit(63));
  });

  it('samples what the filters left', () => {
    const survivors = survivorsOf([3, 1, 2.5, 1, 2], { topK: 3, topP: 0.95 });
    const expected = new Float64Array(5);
    for (let j = 0; j < survivors.count; j++) {
      expected[survivors.ids[j]] = survivors.probabilities[j];
    }
    const counts = new Float64Array(5);
    for (let position = 0; position < 20_000; position++)
      counts[gumbelToken(survivors, -9, position)]++;
    expect(chiSquare(counts, expected)).toBeLessThan(chiSquareLimit(2));
  });

  it('lets a close draft agree nearly always, and any draft at least (1 - TV) / (1 + TV)', () => {
    const target = survivorsOf([1, 0, -0.5, 2, 0, -2, 1.5, -1]);
    const agreement = (draft: Survivors): number => {
      let same = 0;
      for (let t = 0; t < 5000; t++)
        if (gumbelToken(target, 1, t) === gumbelToken(draft, 1, t)) same++;
      return same / 5000;
    };
    expect(agreement(survivorsOf([1.01, 0, -0.5, 2, 0.01, -2, 1.5, -1]))).toBeGreaterThan(0.99);
    const other = survivorsOf([2, 0, 0.5, 1, 0, -1, 1, -1]);
    let tv = 0;
    for (let i = 0; i < 8; i++)
      tv += Math.abs(target.probabilities[i] - other.probabilities[i]) / 2;
    expect(agreement(other)).toBeGreaterThan((1 - tv) / (1 + tv) - 0.02);
    expect(agreement(other)).toBeLessThan(1 - tv + 0.02);
  });

  it('is the argmax when only one token survives', () => {
    expect(gumbelToken(survivorsOf([0, 4, 1], { temperature: 0 }), 3, 9)).toBe(1);
  });
});
