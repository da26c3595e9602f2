import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExitCosts } from '../../src/decoding/cost-exit.js';
import { createDraftExit } from '../../src/decoding/draft-exit.js';
import { InputError } from '../../src/errors.js';

const K = 8;
const constant = (p: number) => ({ confidence: [0.5], probability: [p] });

/** E(n): expected tokens of a round of n drafts with acceptance p, the target's own included. */
function expected(p: number, n: number): number {
  let sum = 0;
  for (let i = 0; i <= n; i++) sum += p ** i;
  return sum;
}

/** The draft length that minimises C(n) / E(n), the shorter of two equals, and that minimum. */
function bestLength(p: number, draft: number, verify: readonly number[]) {
  let best = { n: 0, time: Number.POSITIVE_INFINITY };
  for (let n = 1; n <= K; n++) {
    const time = (n * draft + verify[n]!) / expected(p, n);
    if (time < best.time - 1e-12) best = { n, time };
  }
  return best;
}

/** Tokens of a draft whose confidences are all the same. */
function lengthOf(exit: ReturnType<typeof createDraftExit>, confidence = 0.5): number {
  let n = 1;
  while (!exit.shouldStop(n, confidence)) n++;
  return n;
}

const cases = fc.record({
  p: fc.double({ min: 0.05, max: 0.98, noNaN: true }),
  draft: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
  // Steps of any size: verification is not convex in the number of tokens where kernels have tiles.
  steps: fc.array(fc.constantFrom(0, 0.02, 0.1, 0.5), { minLength: K, maxLength: K }),
});
const verifyOf = (steps: readonly number[]) =>
  steps.reduce<number[]>((v, step) => v.concat(v.at(-1)! + step), [1]);
const costsOf = (p: number, draft: number, verify: number[], timePerToken: number): ExitCosts => ({
  draft,
  verify,
  timePerToken,
  acceptance: constant(p),
  nextAcceptance: constant(p),
});

describe('the cost rule', () => {
  it('with one acceptance for all tokens ends at the length that brute force finds', () => {
    fc.assert(
      fc.property(cases, ({ p, draft, steps }) => {
        const verify = verifyOf(steps);
        const { n, time } = bestLength(p, draft, verify);
        const cost = (length: number) => (length * draft + verify[length]!) / expected(p, length);
        const exit = createDraftExit({ exit: 'cost', costs: costsOf(p, draft, verify, time) }, K);
        const chosen = lengthOf(exit);
        // Rounding may choose between lengths that are equally good, nothing else.
        if (chosen !== n) expect(cost(chosen)).toBeCloseTo(time, 9);
      }),
      { numRuns: 500 },
    );
  });

  it('finds the best time per token by itself, from any start', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(0.3, 1, 3), ({ p, draft, steps }, start) => {
        const verify = verifyOf(steps);
        const exit = createDraftExit({ exit: 'cost', costs: costsOf(p, draft, verify, start) }, K);
        for (let round = 0; round < 600; round++) {
          const n = lengthOf(exit);
          exit.afterVerify(n, expected(p, n) - 1);
        }
        const n = lengthOf(exit);
        const reached = (n * draft + verify[n]!) / expected(p, n);
        expect(reached).toBeCloseTo(bestLength(p, draft, verify).time, 6);
      }),
    );
  });

  it('stops where the chance of the next token is worth less than its price, by hand', () => {
    // A token is worth 1. Confident: S = 0.9, next 0.9: 0.81 > 0.5. Then 0.9 * 0.2 = 0.18, next 0.3: 0.054 < 0.5.
    const acceptance = { confidence: [0.1, 0.9], probability: [0.2, 0.9] };
    const nextAcceptance = { confidence: [0.1, 0.9], probability: [0.3, 0.9] };
    const verify = [1, 1.1, 1.2, 1.3, 1.4];
    const costs = { draft: 0.4, verify, timePerToken: 1, acceptance, nextAcceptance };
    const exit = createDraftExit({ exit: 'cost', costs }, 4);
    expect(exit.shouldStop(1, 0.9)).toBe(false);
    expect(exit.shouldStop(2, 0.1)).toBe(true);
    // A new draft begins with nothing lost.
    expect(exit.shouldStop(1, 0.9)).toBe(false);
    expect(exit.shouldStop(2, 0.9)).toBe(false);
    expect(exit.shouldStop(3, 0.9)).toBe(false);
    expect(exit.shouldStop(4, 0.9)).toBe(true);
    expect(exit.shouldStop(1, 0.1)).toBe(true);
  });

  it('is near the optimum where confidences vary, and ahead of every fixed length', () => {
    fc.assert(
      fc.property(
        fc.record({
          draft: fc.double({ min: 0.1, max: 0.6, noNaN: true }),
          step: fc.double({ min: 0, max: 0.2, noNaN: true }),
          low: fc.double({ min: 0.1, max: 0.5, noNaN: true }),
          high: fc.double({ min: 0.7, max: 0.98, noNaN: true }),
          share: fc.double({ min: 0.2, max: 0.9, noNaN: true }),
        }),
        ({ draft, step, low, high, share }) => {
          const length = 6;
          const verify = Array.from({ length: length + 1 }, (_, n) => 1 + step * n);
          const world = { draft, verify, low, high, share, length };
          const best = optimum(world);
          const mean = share * high + (1 - share) * low;
          const costs = {
            draft,
            verify,
            timePerToken: best,
            acceptance: { confidence: [0.1, 0.9], probability: [low, high] },
            nextAcceptance: constant(mean),
          };
          const reached = ratio(world, (confidences) => {
            const exit = createDraftExit({ exit: 'cost', costs }, length);
            return confidences.map((q, i) => exit.shouldStop(i + 1, q)).at(-1)!;
          });
          expect(reached).toBeGreaterThanOrEqual(best - 1e-9);
          expect(reached).toBeLessThan(best * 1.02);
          for (let n = 1; n <= length; n++)
            expect(reached).toBeLessThan(ratio(world, (c) => c.length >= n) + 1e-9);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('rounds without a draft teach nothing', () => {
    const verify = [1, 1.3, 1.6, 1.9, 2.2, 2.5, 2.8, 3.1, 3.4];
    const exit = () => createDraftExit({ exit: 'cost', costs: costsOf(0.8, 0.3, verify, 0.95) }, K);
    const [idle, fresh] = [exit(), exit()];
    const length = lengthOf(fresh);
    for (let i = 0; i < 100; i++) idle.afterVerify(0, 0);
    expect(lengthOf(idle)).toBe(length);
    // While every round accepts all of it, a token comes cheaper and is worth less.
    for (let i = 0; i < 100; i++) fresh.afterVerify(8, 8);
    expect(lengthOf(fresh)).toBeLessThan(length);
  });

  it('refuses a draft length beyond its costs', () => {
    const costs = costsOf(0.8, 0.3, [1, 1.1, 1.2], 0.8);
    expect(() => createDraftExit({ exit: 'cost', costs }, 3)).toThrow(InputError);
    expect(() => createDraftExit({ exit: 'cost', costs }, 3)).toThrow(/end at drafts of 2 tokens/);
    expect(lengthOf(createDraftExit({ exit: 'cost', costs }, 2))).toBeLessThanOrEqual(2);
  });
});

/** Tokens have confidence 0.9 with probability `share`, else 0.1, independently; they are accepted with `high` or `low`. */
interface World {
  readonly draft: number;
  readonly verify: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly share: number;
  readonly length: number;
}

/** Exact cost per token of a policy: it says after which confidences a draft ends. */
function ratio(world: World, stops: (confidences: readonly number[]) => boolean): number {
  let [cost, tokens] = [0, 0];
  const walk = (confidences: readonly number[], chance: number, survival: number, sum: number) => {
    const n = confidences.length;
    if (n > 0 && (n === world.length || stops(confidences))) {
      cost += chance * (n * world.draft + world.verify[n]!);
      tokens += chance * sum;
      return;
    }
    for (const [q, p, share] of [
      [0.9, world.high, world.share],
      [0.1, world.low, 1 - world.share],
    ] as const) {
      walk([...confidences, q], chance * share, survival * p, sum + survival * p);
    }
  };
  walk([], 1, 1, 1);
  return cost / tokens;
}

/** The least cost per token of all policies: bisection on tau, each time solving the stopping problem backwards. */
function optimum({ draft, verify, low, high, share, length }: World): number {
  let [below, above] = [0, 10];
  for (let i = 0; i < 50; i++) {
    const tau = (below + above) / 2;
    const value = (n: number, survival: number): number => {
      const stop = -verify[n]!;
      if (n === length) return stop;
      const go = (p: number) => tau * survival * p + value(n + 1, survival * p);
      const on = -draft + share * go(high) + (1 - share) * go(low);
      return n === 0 ? on : Math.max(stop, on);
    };
    if (tau + value(0, 1) > 0) above = tau;
    else below = tau;
  }
  return above;
}
