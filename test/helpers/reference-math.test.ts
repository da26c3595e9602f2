import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attend, linear, rmsNorm, rotaryFrequencies, rotate, silu } from './reference-math.js';

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const vectorOf = (length: number) =>
  fc
    .array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: length, maxLength: length })
    .map((values) => Float64Array.from(values));
const plain = { headDim: 8, ropeTheta: 10000, ropeScaling: null };

describe('rmsNorm', () => {
  test('a constant vector becomes the weight, with the sign of the constant', () => {
    const weight = Float64Array.of(1, 2, -3);
    expect([...rmsNorm(new Float64Array(3).fill(-7), weight, 0)]).toEqual([-1, -2, 3]);
  });

  test('epsilon counts against the mean square', () => {
    const result = rmsNorm(Float64Array.of(3, 4), Float64Array.of(1, 1), 12.5);
    expect(result[0]).toBeCloseTo(3 / 5, 12);
    expect(result[1]).toBeCloseTo(4 / 5, 12);
  });
});

test('linear takes rows of [out, in] and adds the bias', () => {
  const weight = Float32Array.of(1, 2, 3, 4, 5, 6);
  expect([...linear(weight, Float64Array.of(1, 0, -1))]).toEqual([-2, -2]);
  expect([...linear(weight, Float64Array.of(1, 0, -1), Float32Array.of(10, 20))]).toEqual([8, 18]);
});

test('silu', () => {
  expect(silu(0)).toBe(0);
  expect(silu(Math.log(3))).toBeCloseTo(Math.log(3) * 0.75, 12);
  expect(silu(40) - 40).toBeCloseTo(0, 12);
});

describe('rotary embedding', () => {
  test('preserves norms', () => {
    fc.assert(
      fc.property(vectorOf(16), fc.nat(100_000), (x, position) => {
        const rotated = rotate(x, position, rotaryFrequencies(plain));
        expect(dot(rotated, rotated)).toBeCloseTo(dot(x, x), 6);
      }),
    );
  });

  test('scores depend on relative positions only', () => {
    const position = fc.nat(2000);
    fc.assert(
      fc.property(vectorOf(8), vectorOf(8), position, position, position, (q, k, m, n, shift) => {
        const f = rotaryFrequencies(plain);
        const score = (a: number, b: number) => dot(rotate(q, a, f), rotate(k, b, f));
        expect(score(m + shift, n + shift)).toBeCloseTo(score(m, n), 6);
      }),
    );
  });

  test('pairs element i with i + d/2 and turns the first pair by one radian per position', () => {
    const rotated = rotate(Float64Array.of(1, 0, 0, 0, 0, 0, 0, 0), 2, rotaryFrequencies(plain));
    expect(rotated[0]).toBeCloseTo(Math.cos(2), 12);
    expect(rotated[4]).toBeCloseTo(Math.sin(2), 12);
    expect(rotaryFrequencies(plain)[1]).toBeCloseTo(0.1, 12); // 10000^(-2/8)
  });

  test('linear scaling by s at position s * p is no scaling at p', () => {
    const scaled = rotaryFrequencies({ ...plain, ropeScaling: { type: 'linear', factor: 4 } });
    const x = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const expected = rotate(x, 3, rotaryFrequencies(plain));
    rotate(x, 12, scaled).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 12);
    });
  });

  test('llama3 scaling keeps short waves, divides long ones and blends between', () => {
    const shape = { headDim: 64, ropeTheta: 500_000 };
    const scaled = rotaryFrequencies({
      ...shape,
      ropeScaling: {
        type: 'llama3',
        factor: 32,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalContextLength: 8192,
      },
    });
    const kinds = rotaryFrequencies({ ...shape, ropeScaling: null }).map((original, i) => {
      const wavelength = (2 * Math.PI) / original;
      const ratio = scaled[i]! / original;
      if (wavelength < 8192 / 4) expect(ratio).toBe(1);
      else if (wavelength > 8192) expect(ratio).toBeCloseTo(1 / 32, 12);
      else {
        // transformers' rope_utils: smooth = (original / wavelength - low) / (high - low)
        const smooth = (8192 / wavelength - 1) / 3;
        expect(ratio).toBeCloseTo((1 - smooth) / 32 + smooth, 12);
      }
      return ratio === 1 ? 0 : ratio < 0.032 ? 2 : 1;
    });
    expect(new Set(kinds)).toEqual(new Set([0, 1, 2]));
  });
});

describe('attention', () => {
  test('equal scores average the values; heads read their group', () => {
    const keys = [new Float64Array(4), new Float64Array(4)];
    const values = [Float64Array.of(1, 2, 3, 4), Float64Array.of(3, 4, 5, 8)];
    const shape = { heads: 4, kvHeads: 2, headDim: 2 };
    const output = attend(new Float64Array(8).fill(1), keys, values, shape);
    expect([...output]).toEqual([2, 3, 2, 3, 4, 6, 4, 6]);
  });

  test('weights are the softmax of q.k / sqrt(d)', () => {
    const keys = [Float64Array.of(0, 0, 0, 0), Float64Array.of(2 * Math.log(3), 0, 0, 0)];
    const values = [new Float64Array(4), new Float64Array(4).fill(4)];
    const shape = { heads: 1, kvHeads: 1, headDim: 4 };
    const output = attend(Float64Array.of(1, 0, 0, 0), keys, values, shape);
    for (const value of output) expect(value).toBeCloseTo(3, 12);
  });
});
