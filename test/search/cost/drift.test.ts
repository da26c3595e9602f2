import { expect, it } from 'vitest';
import { fitCostModel, priceDraft, type TimedRound } from '../../../src/search/cost/cost-model.js';
import { type TimedPair, withoutDrift } from '../../../src/search/cost/drift.js';
import { uniforms } from '../../helpers/random.js';

const longest = 6;
const plainSeconds = (context: number) => 2e-3 + 3e-6 * context;
const targetSeconds = (context: number, tokens: number) => 2.4e-3 + 2e-4 * tokens + 3e-6 * context;
const passSeconds = (kept: number) => 1e-4 + 1.5e-3 * kept;

/** Pairs of a machine whose speed swings by a factor of 1.7 while 24 of them are timed. */
function drifting(slowness: (time: number) => number): TimedPair[] {
  const uniform = uniforms(1);
  return Array.from({ length: 24 }, (_, i) => {
    const kept = uniform();
    const mlp = uniform() < 0.5 ? kept : 1 - kept;
    const shape = { attention: kept, mlp, head: 1, bridges: 0 };
    const start = 30 + Math.floor(150 * uniform());
    const round = (drafted: number, context: number, time: number): TimedRound => ({
      shape: drafted === 0 ? null : shape,
      context,
      drafted,
      draftSeconds: slowness(time) * drafted * passSeconds((shape.attention + shape.mlp) / 2),
      targetSeconds:
        slowness(time) *
        (drafted === 0 ? plainSeconds(context) : targetSeconds(context, drafted + 1)),
    });
    return {
      plain: Array.from({ length: 14 }, (_, k) => round(0, start + k, i)),
      drafted: Array.from({ length: longest }, (_, k) => round(k + 1, start + 4 * k, i + 0.5)),
    };
  });
}

/** The greatest relative error of c and of T(M) / T(1). */
function worstRatio(rounds: readonly TimedRound[]): number {
  const model = fitCostModel(rounds);
  const errors: number[] = [];
  for (const kept of [0.1, 0.5, 0.9]) {
    const shape = { attention: kept, mlp: kept, head: 1, bridges: 0 };
    const { pass, target, autoregressive } = priceDraft(model, shape, 100);
    errors.push((pass / autoregressive) * (plainSeconds(100) / passSeconds(kept)) - 1);
    for (let tokens = 2; tokens <= longest + 1; tokens++) {
      const truth = targetSeconds(100, tokens) / plainSeconds(100);
      errors.push(target[tokens]! / autoregressive / truth - 1);
    }
  }
  return Math.max(...errors.map(Math.abs));
}

const swing = (time: number) => 1.3 + 0.4 * Math.sin(time / 4);

it('finds the ratios of costs on a machine whose speed drifts', () => {
  const pairs = drifting(swing);
  expect(worstRatio(pairs.flatMap(({ plain, drafted }) => [...plain, ...drafted]))).toBeGreaterThan(
    0.2,
  );
  expect(worstRatio(withoutDrift(pairs).flat())).toBeLessThan(0.01);
});

it('leaves the rounds of a steady machine as they are', () => {
  const pairs = drifting(() => 1);
  const steady = withoutDrift(pairs).flat();
  for (const [i, round] of pairs
    .flatMap(({ plain, drafted }) => [...plain, ...drafted])
    .entries()) {
    expect(steady[i]!.targetSeconds / round.targetSeconds).toBeCloseTo(1, 2);
    expect(steady[i]!.draftSeconds / (round.draftSeconds || 1)).toBeCloseTo(
      round.draftSeconds > 0 ? 1 : 0,
      2,
    );
  }
});
