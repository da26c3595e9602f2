import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argmax, exponentials, topProbability } from '../../../src/decoding/sampling/greedy.js';

const row = fc.array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 40 });

describe('argmax', () => {
  it('gives ties to the lowest id and counts from the offset', () => {
    expect(argmax(Float32Array.of(9, 1, 3, 3, 2, 8), 1, 4)).toBe(1);
  });

  it('passes over NaN and -Infinity, and takes +Infinity', () => {
    expect(argmax(Float32Array.of(NaN, -Infinity, -5, NaN), 0, 4)).toBe(2);
    expect(argmax(Float32Array.of(1, Infinity, Infinity), 0, 3)).toBe(1);
    expect(argmax(Float32Array.of(NaN, -Infinity), 0, 2)).toBe(0);
  });

  it('is the first index of the maximum', () => {
    fc.assert(
      fc.property(row, (values) => {
        const logits = Float32Array.from(values);
        expect(argmax(logits, 0, logits.length)).toBe(logits.indexOf(Math.max(...logits)));
      }),
    );
  });
});

describe('topProbability', () => {
  it('is the softmax of the largest logit, within its bound', () => {
    fc.assert(
      fc.property(row, (values) => {
        const logits = Float32Array.from([-99, ...values, 99]);
        const max = Math.max(...logits.subarray(1, -1));
        let sum = 0;
        for (const logit of logits.subarray(1, -1)) sum += Math.exp(logit - max);
        const got = topProbability(logits, 1, values.length, max);
        expect(got).toBeGreaterThanOrEqual((1 / sum) * (1 - 1e-13));
        expect(got - 1 / sum).toBeLessThanOrEqual(1e-5 + values.length * Math.exp(-20));
      }),
    );
  });

  it('is the softmax of any other token, too', () => {
    fc.assert(
      fc.property(row, fc.nat(39), (values, pick) => {
        const logits = Float32Array.from(values);
        const value = logits[pick % logits.length];
        let sum = 0;
        for (const logit of logits) sum += Math.exp(logit - value);
        expect(Math.abs(topProbability(logits, 0, logits.length, value) - 1 / sum)).toBeLessThan(
          1e-5 + logits.length * Math.exp(-20),
        );
      }),
    );
  });

  it('stays within its bound over a large vocabulary, wherever the bulk lies', () => {
    for (let depth = 0; depth < 20; depth += 0.5) {
      const logits = new Float32Array(32_000).fill(-depth);
      logits[123] = 0;
      const exact = 1 / (1 + 31_999 * Math.exp(-depth));
      const got = topProbability(logits, 0, 32_000, 0);
      expect(got).toBeGreaterThanOrEqual(exact * (1 - 1e-10));
      expect(got - exact).toBeLessThan(1e-5);
    }
  });

  it('counts logits within 20 nats and no further', () => {
    expect(topProbability(Float32Array.of(0, -20), 0, 2, 0)).toBeCloseTo(
      1 / (1 + Math.exp(-20)),
      12,
    );
    expect(topProbability(Float32Array.of(0, -20), 0, 2, 0)).toBeLessThan(1);
    expect(topProbability(Float32Array.of(0, -20.001, -Infinity), 0, 3, 0)).toBe(1);
  });
});

describe('exponentials', () => {
  it('are those of some logits alone, within their bound', () => {
    fc.assert(
      fc.property(row, fc.nat(39), (values, pick) => {
        const logits = Float32Array.from(values);
        const value = Math.max(...logits);
        const index = pick % logits.length;
        const into = new Float64Array(logits.length).fill(-1);
        exponentials(logits, value, into, Int32Array.of(index));
        const exact = Math.exp(logits[index] - value);
        expect(into[index]).toBeLessThanOrEqual(exact * (1 + 1e-12));
        expect(exact - into[index]).toBeLessThanOrEqual(Math.exp(-20) + 1e-4 * exact);
        expect(into.filter((power) => power === -1)).toHaveLength(logits.length - 1);
        exponentials(logits, value, into);
        expect(1 / into.reduce((sum, power) => sum + power)).toBeCloseTo(
          topProbability(logits, 0, logits.length, value),
          10,
        );
      }),
    );
  });
});
