import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floatToHalf, halfToFloat } from '../src/half.js';

const fromHalf = (half: number) => halfToFloat(Uint8Array.of(half & 255, half >> 8), 0);

describe('float16', () => {
  it('goes there and back, all 65,536 of them', () => {
    for (let half = 0; half < 65536; half++) {
      const value = fromHalf(half);
      if (Number.isNaN(value)) expect(fromHalf(floatToHalf(value))).toBeNaN();
      else if (floatToHalf(value) !== half) expect(floatToHalf(value), `${value}`).toBe(half);
    }
    expect([0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00].map(fromHalf)).toEqual([
      ...[1, -2, 65504, 2 ** -24, Number.POSITIVE_INFINITY],
    ]);
  });

  it('is the nearest one, ties to even', () => {
    const magnitude = fc.double({ min: 0, max: 65519, noNaN: true }).map(Math.fround);
    const small = fc.double({ min: 0, max: 2 ** -13, noNaN: true }).map(Math.fround);
    // Halfway between two neighbours.
    const tie = fc
      .integer({ min: 0, max: 0x7bfe })
      .map((half) => (fromHalf(half) + fromHalf(half + 1)) / 2);
    fc.assert(
      fc.property(fc.oneof(magnitude, small, tie), fc.boolean(), (size, negative) => {
        const value = negative ? -size : size;
        const half = floatToHalf(value);
        expect(half >> 15 === 1).toBe(Object.is(Math.sign(value), -1) || Object.is(value, -0));
        const error = Math.abs(fromHalf(half) - value);
        for (const other of [half - 1, half + 1]) {
          if (other >> 15 !== half >> 15 || !Number.isFinite(fromHalf(other & 0xffff))) continue;
          const others = Math.abs(fromHalf(other & 0xffff) - value);
          expect(error).toBeLessThanOrEqual(others);
          if (error === others) expect(half & 1).toBe(0);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is infinite from 65,520 on', () => {
    expect(fromHalf(floatToHalf(65519.996))).toBe(65504);
    for (const value of [65520, 1e9, Number.POSITIVE_INFINITY])
      expect([fromHalf(floatToHalf(value)), fromHalf(floatToHalf(-value))]).toEqual([
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
      ]);
  });
});
