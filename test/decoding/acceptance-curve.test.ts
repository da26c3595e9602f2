import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptanceAt,
  calibrateAcceptance,
  calibrateCurves,
  isotonic,
  MAX_KNOTS,
} from '../../src/decoding/acceptance-curve.js';
import { uniforms } from '../helpers/random.js';

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const samples = fc.array(
  fc.record({
    // Many equal confidences, 1 above all, as a draft has.
    q: fc.oneof(unit, fc.constantFrom(0, 0.5, 1)),
    y: fc.integer({ min: 0, max: 1 }),
  }),
  { maxLength: 400 },
);
const curveOf = (all: readonly { q: number; y: number }[]) =>
  calibrateAcceptance(
    all.map(({ q }) => q),
    all.map(({ y }) => y),
  );

describe('isotonic', () => {
  it('is the max-min formula, the closed form of the fit', () => {
    const points = fc.array(
      fc.record({
        value: fc.integer({ min: -5, max: 5 }),
        weight: fc.integer({ min: 1, max: 4 }),
      }),
      { minLength: 1, maxLength: 9 },
    );
    fc.assert(
      fc.property(points, (all) => {
        const mean = (from: number, to: number) => {
          const part = all.slice(from, to + 1);
          const weight = part.reduce((sum, p) => sum + p.weight, 0);
          return part.reduce((sum, p) => sum + p.weight * p.value, 0) / weight;
        };
        const places = all.map((_, i) => i);
        const expected = places.map((i) =>
          Math.max(
            ...places
              .slice(0, i + 1)
              .map((from) => Math.min(...places.slice(i).map((to) => mean(from, to)))),
          ),
        );
        const fitted = isotonic(
          all.map(({ value }) => value),
          all.map(({ weight }) => weight),
        );
        expect(fitted).toHaveLength(all.length);
        for (const [i, value] of fitted.entries()) expect(value).toBeCloseTo(expected[i]!, 9);
      }),
    );
  });
});

describe('a calibrated curve', () => {
  it('rises, stays inside (0, 1) and has few knots, whatever the samples', () => {
    fc.assert(
      fc.property(samples, unit, unit, (all, a, b) => {
        const curve = curveOf(all);
        const { confidence, probability } = curve;
        expect(confidence).toHaveLength(probability.length);
        expect(confidence.length).toBeGreaterThanOrEqual(1);
        expect(confidence.length).toBeLessThanOrEqual(MAX_KNOTS);
        for (const [i, q] of confidence.entries()) {
          expect(q).toBeGreaterThanOrEqual(0);
          expect(q).toBeLessThanOrEqual(1);
          expect(probability[i]).toBeGreaterThan(0);
          expect(probability[i]).toBeLessThan(1);
          if (i === 0) continue;
          expect(q).toBeGreaterThan(confidence[i - 1]!);
          expect(probability[i]).toBeGreaterThan(probability[i - 1]!);
        }
        const [low, high] = [
          acceptanceAt(curve, Math.min(a, b)),
          acceptanceAt(curve, Math.max(a, b)),
        ];
        expect(high - low).toBeGreaterThanOrEqual(-1e-12);
        for (const [i, q] of confidence.entries())
          expect(acceptanceAt(curve, q)).toBeCloseTo(probability[i]!, 12);
      }),
    );
  });

  it('does not depend on the order of the samples', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const [curve, turned] = [curveOf(all), curveOf([...all].reverse())];
        expect(turned.probability).toEqual(curve.probability);
        for (const [i, q] of turned.confidence.entries())
          expect(q).toBeCloseTo(curve.confidence[i]!, 12);
      }),
    );
  });

  it('finds a known curve', () => {
    const random = uniforms(1);
    const truth = (q: number) => 0.2 + 0.7 * q * q;
    const all = Array.from({ length: 40_000 }, () => {
      const q = random();
      return { q, y: random() < truth(q) ? 1 : 0 };
    });
    const curve = curveOf(all);
    for (const q of [0.1, 0.3, 0.5, 0.7, 0.9])
      expect(Math.abs(acceptanceAt(curve, q) - truth(q))).toBeLessThan(0.03);
  });

  it('one group: the acceptance of all, drawn a little to the middle', () => {
    // p0 = (1 + 3) / (2 + 4) = 2/3; (3 + 2 p0) / (4 + 2) = 13/18.
    const { confidence, probability } = calibrateAcceptance([0.9, 0.1, 0.4, 0.6], [1, 0, 1, 1]);
    expect(confidence).toEqual([0.5]);
    expect(probability[0]).toBeCloseTo(13 / 18, 12);
    expect(calibrateAcceptance([], [])).toEqual({ confidence: [0.5], probability: [0.5] });
    expect(() => calibrateAcceptance([1], [])).toThrow(RangeError);
  });

  it('is straight between knots and level beyond them', () => {
    const curve = { confidence: [0.2, 0.6], probability: [0.3, 0.5] };
    const at = [0, 0.2, 0.3, 0.6, 1].map((q) => acceptanceAt(curve, q));
    for (const [i, p] of [0.3, 0.3, 0.35, 0.5, 0.5].entries()) expect(at[i]).toBeCloseTo(p, 12);
  });
});

it('drafts give a token its own confidence and that of the one before, up to the first rejection', () => {
  const drafts = [
    { confidences: [0.9, 0.8, 0.3, 0.2, 0.1], accepted: 2 },
    { confidences: [0.7], accepted: 1 },
    { confidences: [0.4, 0.5], accepted: 0 },
    { confidences: [], accepted: 0 },
  ];
  expect(calibrateCurves(drafts)).toEqual({
    acceptance: calibrateAcceptance([0.9, 0.8, 0.3, 0.7, 0.4], [1, 1, 0, 1, 0]),
    nextAcceptance: calibrateAcceptance([0.9, 0.8], [1, 0]),
  });
});
