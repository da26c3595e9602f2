import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planSkips, type SublayerChain } from '../../../src/search/dp/skip-program.js';
import { maskOf } from '../../optimise/landscapes.js';

/**
 * Sublayers that each add a vector along an axis of their own: what one adds does not depend on the others, and the cosine to
 * the full state grows with the squared lengths of what is kept. There the program is exact.
 */
function additive(lengths: readonly number[]): SublayerChain<readonly number[]> {
  const start = [1, ...lengths.map(() => 0)];
  const full = (depth: number) => [1, ...lengths.map((length, i) => (i < depth ? length : 0))];
  return {
    sublayers: lengths.length,
    start,
    run: async (i, state) => state.map((x, axis) => (axis === i + 1 ? x + lengths[i]! : x)),
    skip: async (_, state) => state,
    similarity: (state, depth) => cosine(state, full(depth)),
  };
}

const cosine = (a: readonly number[], b: readonly number[]) => {
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

it('finds the best mask of every weight, as enumeration does', async () => {
  const n = 8;
  const cases = fc.record({
    lengths: fc.array(fc.double({ min: 0.1, max: 3, noNaN: true }), {
      minLength: n,
      maxLength: n,
    }),
    weights: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: n, maxLength: n }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ lengths, weights }) => {
      const all = weights.reduce((sum, weight) => sum + weight, 0);
      const most = Math.floor(0.8 * all);
      const best = new Map<number, number>();
      for (let index = 1; index < 2 ** n; index++) {
        const mask = maskOf(index, n);
        const weight = mask.reduce((sum, bit, i) => sum + bit * weights[i]!, 0);
        const kept = [1, ...lengths.map((length, i) => (mask[i] ? 0 : length))];
        const similarity = cosine(kept, [1, ...lengths]);
        if (weight <= most && similarity > (best.get(weight) ?? 0)) best.set(weight, similarity);
      }
      const plans = await planSkips(additive(lengths), weights, 0, most);
      expect(plans.map(({ weight }) => weight)).toEqual([...best.keys()].sort((a, b) => a - b));
      for (const { mask, weight, similarity } of plans) {
        expect(mask.reduce((sum, bit, i) => sum + bit * weights[i]!, 0)).toBe(weight);
        expect(similarity).toBeCloseTo(best.get(weight)!, 12);
      }
    }),
    { numRuns: 60 },
  );
});

it('tells how far it is, and ends when that throws', async () => {
  const chain = additive([1, 2, 3]);
  const steps: number[] = [];
  await planSkips(chain, [1, 1, 1], 0, 2, (done) => steps.push(done));
  expect(steps).toEqual([0, 1, 2, 3]);
  const stop = planSkips(chain, [1, 1, 1], 0, 2, () => {
    throw new Error('enough');
  });
  await expect(stop).rejects.toThrow('enough');
});

it('bridges every run from the state before it, and counts its bridge', async () => {
  const skipped: unknown[] = [];
  const chain: SublayerChain<readonly number[]> = {
    ...additive([2, 0.5, 0.5, 2]),
    // What is skipped comes back whole where the run is the second and third sublayer.
    skip: async (run, state) => {
      skipped.push([run, state]);
      return run.from === 1 && run.to === 3
        ? state.map((x, i) => x + (i === 2 || i === 3 ? 0.5 : 0))
        : state;
    },
  };
  const plans = await planSkips(chain, [2, 2, 2, 2], 1, 3);
  const best = plans.find(({ weight }) => weight === 3)!;
  expect(Array.from(best.mask)).toEqual([0, 1, 1, 0]);
  expect(best.similarity).toBeCloseTo(1, 12);
  expect(skipped).toContainEqual([{ from: 1, to: 3 }, [1, 2, 0, 0, 0]]);
});
