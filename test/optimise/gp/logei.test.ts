import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logExpectedImprovement, logH } from '../../../src/optimise/gp/logei.js';

/**
 * log h(z) by Simpson's rule on h(z) = integral over u > 0 of u phi(u - z), with exp(-z^2/2) taken out where z < 0 so
 * that nothing underflows: u phi(u - z) = phi(z) u exp(u z - u^2/2).
 */
function quadrature(z: number): number {
  const reach = z < 0 ? Math.min(12, 60 / -z) : z + 12;
  const steps = 20_000;
  const offset = z < 0 ? -0.5 * z * z : 0;
  const f = (u: number) => u * Math.exp(-0.5 * (u - z) ** 2 - offset);
  let sum = f(0) + f(reach);
  for (let k = 1; k < steps; k++) sum += f((k * reach) / steps) * (k % 2 ? 4 : 2);
  return Math.log((sum * reach) / steps / 3) + offset - 0.5 * Math.log(2 * Math.PI);
}

describe('logH', () => {
  it.each([-30, -12, -5, -2, -1.0001, -1, -0.9999, -0.3, 0, 0.7, 1.999, 2, 6, 20])(
    'equals the integral at z = %d',
    (z) => {
      expect(Math.abs(logH(z) - quadrature(z))).toBeLessThan(1e-8);
    },
  );

  it('is increasing and finite far into the tail, where EI itself is 0 in floating point', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 50, noNaN: true }), (z) => {
        expect(logH(z)).toBeGreaterThan(-Infinity);
        expect(logH(z + Math.max(1e-3, Math.abs(z) * 1e-3))).toBeGreaterThan(logH(z));
      }),
    );
  });
});

describe('logExpectedImprovement', () => {
  it('scales with the standard deviation', () => {
    expect(logExpectedImprovement(3, 2, 4)).toBeCloseTo(Math.log(2) + quadrature(-0.5), 8);
    expect(logExpectedImprovement(3, 0, 4)).toBe(-Infinity);
  });
});
