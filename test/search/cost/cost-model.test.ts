import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CostModel,
  type DraftShape,
  fitCostModel,
  predictionErrors,
  priceDraft,
  roundSeconds,
  type TimedRound,
} from '../../../src/search/cost/cost-model.js';
import { robustLeastSquares } from '../../../src/search/cost/least-squares.js';
import { uniforms } from '../../helpers/random.js';

const longest = 6;

/** Times as the module header's equations give them. */
function timesOf(shape: DraftShape, context: number, n: number) {
  const { attention: a, mlp: m, head: h, bridges: b } = shape;
  const x = context / 1000;
  return {
    draftSeconds:
      n * (1e-4 + 8e-4 * a + 5e-4 * m + 2e-3 * a * x + 3e-4 * h + 2e-4 * b) + 2e-4 + 1e-4 * (a + m),
    targetSeconds: 2e-3 + 3e-4 * n + (n % 3 === 0 ? 2e-4 : 0) + x * (4e-3 + 3e-4 * (n + 1)),
  };
}

function syntheticRounds(seed: number, noise: (uniform: number) => number): TimedRound[] {
  const uniform = uniforms(seed);
  const rounds: TimedRound[] = [];
  for (let i = 0; i < 600; i++) {
    const context = 20 + Math.floor(300 * uniform());
    const [attention, mlp, head, bridges] = [uniform(), uniform(), uniform(), uniform()];
    const shape = { attention, mlp, head, bridges };
    const n = 1 + (i % longest);
    const times = timesOf(shape, context, n);
    rounds.push({
      shape,
      context,
      drafted: n,
      draftSeconds: times.draftSeconds * noise(uniform()),
      targetSeconds: times.targetSeconds * noise(uniform()),
    });
    if (i % 4 > 0) continue;
    const seconds = 1.8e-3 + 4.3e-6 * context;
    rounds.push({ shape: null, context, drafted: 0, draftSeconds: 0, targetSeconds: seconds });
  }
  return rounds;
}

/** One timing in ten is interrupted for as long as five more passes would take; the rest wavers by 2%. */
const interrupted = (uniform: number) => (uniform < 0.1 ? 6 : 1 + 0.04 * (uniform - 0.55));

describe('the cost model', () => {
  it('finds the prices behind the timings, interruptions or not', () => {
    for (const [noise, mean, digits] of [
      [() => 1, 1, 8],
      // Of what was interrupted there was so much more.
      [interrupted, 1.5, 0.6],
    ] as const) {
      const model = fitCostModel(syntheticRounds(1, noise));
      const shape = { attention: 0.3, mlp: 0.45, head: 0.25, bridges: 0.5 };
      const prices = priceDraft(model, shape, 150);
      for (let n = 1; n <= longest; n++) {
        const { draftSeconds, targetSeconds } = timesOf(shape, 150, n);
        const share = (seconds: number, of: number) => expect(seconds / of / mean);
        share(n * prices.pass + prices.round, draftSeconds).toBeCloseTo(1, digits);
        share(roundSeconds(prices, n, n), draftSeconds + targetSeconds).toBeCloseTo(1, digits);
        // What was looked up costs no pass.
        expect(roundSeconds(prices, 0, n)).toBe(prices.target[n + 1]);
        share(prices.target[n + 1]!, targetSeconds).toBeCloseTo(1, digits);
      }
      expect(prices.autoregressive / (1.8e-3 + 4.3e-6 * 150)).toBeCloseTo(1, digits);
      expect(prices.target[1]).toBe(prices.autoregressive);
      expect(roundSeconds(prices, 0, 0)).toBe(prices.autoregressive);
    }
  });

  it('gives no pass for nothing where noise fitted less than nothing', () => {
    const model = fitCostModel(syntheticRounds(4, () => 1));
    const noisy = { ...model, draft: [-1e-4, 8e-4, 5e-4, 2e-3, 0, 0, 2e-4, 1e-4] };
    const shape = { attention: 0, mlp: 0, head: 0.1, bridges: 0 };
    const { pass, autoregressive } = priceDraft(noisy, shape, 100);
    expect(pass / autoregressive).toBeGreaterThan(0);
    expect(pass / autoregressive).toBeLessThan(0.01);
  });

  it('reports the errors of its predictions', () => {
    const rounds = syntheticRounds(2, () => 1);
    const slower = rounds.map((round) => ({ ...round, targetSeconds: 1.25 * round.targetSeconds }));
    const errors = predictionErrors(fitCostModel(rounds), slower);
    expect(errors.draft).toHaveLength(600);
    for (const error of errors.draft) expect(error).toBeCloseTo(0, 6);
    for (const error of errors.target) expect(error).toBeCloseTo(0.2, 6);
  });

  it('survives its journal', () => {
    const model = fitCostModel(syntheticRounds(3, () => 1));
    expect(CostModel.parse(JSON.parse(JSON.stringify(model)))).toEqual(model);
    expect(CostModel.safeParse({ ...model, target: [1] }).success).toBe(false);
  });
});

describe('robustLeastSquares', () => {
  it('finds the line behind exact observations', () => {
    const coefficient = fc.double({ min: 0.1, max: 100, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(coefficient, { minLength: 1, maxLength: 5 }),
        fc.integer(),
        (b, seed) => {
          const uniform = uniforms(Math.abs(seed));
          const x = Array.from({ length: 40 }, () => Float64Array.from(b, () => 0.1 + uniform()));
          const y = x.map((row) => row.reduce((sum, value, j) => sum + value * b[j]!, 0));
          const found = robustLeastSquares(x, y);
          for (const [j, value] of b.entries()) expect(found[j]! / value).toBeCloseTo(1, 3);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('finds the mean of observations that waver, not what their short ones say', () => {
    const uniform = uniforms(5);
    const x = Array.from({ length: 4000 }, () => Float64Array.of(1, uniform()));
    // Even, from 0.4 to 1.6 times what it is on average.
    const y = x.map(([one, two]) => (2 * one! + 3 * two!) * (0.4 + 1.2 * uniform()));
    const [a, b] = robustLeastSquares(x, y);
    expect(Math.abs(a! / 2 - 1)).toBeLessThan(0.04);
    expect(Math.abs(b! / 3 - 1)).toBeLessThan(0.06);
  });

  it('refuses fewer observations than coefficients', () => {
    expect(() => robustLeastSquares([Float64Array.of(1, 2)], [1])).toThrow(RangeError);
    expect(() => robustLeastSquares([], [])).toThrow(RangeError);
  });
});
