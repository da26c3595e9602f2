import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFilter, createSurvivors } from '../../../src/decoding/sampling/filter.js';
import { GUMBEL_RANGE } from '../../../src/decoding/sampling/noise.js';
import { GREEDY, type SamplingOptions } from '../../../src/decoding/sampling/options.js';

interface Kept {
  readonly id: number;
  readonly probability: number;
}

/**
 * The definition, step by step: sort everything, cut, take the softmax anew. `slack` moves the cuts of top-p and min-p,
 * for a mass within rounding of a cut may fall on either side.
 */
function oracle(logits: Float32Array, options: SamplingOptions, slack: number): Kept[] {
  const max = Math.max(...logits.filter((logit) => !Number.isNaN(logit)));
  let kept = Array.from(logits, (logit, id) => ({
    id,
    logit,
    score: logit === max ? 0 : (logit - max) / options.temperature,
  }))
    .filter(({ score }) => score >= -GUMBEL_RANGE)
    .sort((a, b) => b.logit - a.logit || a.id - b.id);
  if (options.topK > 0) kept = kept.slice(0, options.topK);
  // Logits a rounding apart may tie once scaled.
  kept.sort((a, b) => b.score - a.score || a.id - b.id);
  const softmax = (): number[] => {
    const total = kept.reduce((sum, { score }) => sum + Math.exp(score), 0);
    return kept.map(({ score }) => Math.exp(score) / total);
  };
  let before = 0;
  const nucleus = softmax();
  kept = kept.filter((_, rank) => {
    const needed = options.topP === 1 || before < options.topP + slack;
    before += nucleus[rank];
    return needed;
  });
  const last = softmax();
  kept = kept.filter((_, rank) => last[rank] >= (options.minP - slack) * last[0]);
  const probabilities = softmax();
  return kept
    .map(({ id }, rank) => ({ id, probability: probabilities[rank] }))
    .sort((a, b) => a.id - b.id);
}

function run(logits: Float32Array, change: Partial<SamplingOptions>, offset = 0): Kept[] {
  const options = { ...GREEDY, temperature: 1, ...change };
  const size = logits.length - offset;
  const survivors = createSurvivors(options, size);
  createFilter(options, size)(logits, offset, survivors);
  const { ids, probabilities, count } = survivors;
  return Array.from({ length: count }, (_, j) => ({ id: ids[j], probability: probabilities[j] }));
}

const ids = (kept: Kept[]): number[] => kept.map(({ id }) => id);

// Few distinct values, so that ties at every cut are common; and free ones.
const logit = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -6, max: 6 }).map((n) => n / 2) },
  // Nearer to 0 than logits come, a difference would vanish in one weight and not in the other's softmax.
  {
    weight: 3,
    arbitrary: fc
      .float({ min: -60, max: 60, noNaN: true })
      .map((value) => (Math.abs(value) < 1e-9 ? 0 : value)),
  },
  { weight: 1, arbitrary: fc.constantFrom(-Infinity, Number.NaN) },
);
const row = fc
  .array(logit, { minLength: 1, maxLength: 60 })
  .map((values) => Float32Array.from(values))
  .filter((values) => values.some((value) => value > -Infinity));
const options = fc.record({
  temperature: fc.constantFrom(0.1, 0.5, 1, 1.7, 40),
  topK: fc.constantFrom(0, 0, 1, 2, 5, 30, 100),
  // Nearer to 1 several tokens lie within rounding of the cut, and any of them may be the last.
  topP: fc.oneof(
    fc.constantFrom(1, 0.5, 0.9),
    fc.double({ min: 1e-6, max: 1, noNaN: true }).map((p) => (1 - p < 1e-10 ? 1 : p)),
  ),
  minP: fc.oneof(fc.constantFrom(0, 0.05, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  seed: fc.constant(0),
});

// Of several scales, for several tokens may lie within the widest.
const slacks = [0, ...[1e-15, 1e-14, 1e-13, 1e-12].flatMap((slack) => [-slack, slack])];

describe('createFilter', () => {
  it('may put a mass within rounding of the cut on either side', () => {
    const logits = Float32Array.from([-1, 2.5, 0, -0.5]);
    const chosen = { ...GREEDY, temperature: 0.1, topP: 0.9999999999999994 };
    const got = ids(run(logits, chosen));
    expect(slacks.map((slack) => ids(oracle(logits, chosen, slack)))).toContainEqual(got);
  });

  it('keeps what the definition keeps, with its probabilities', () => {
    fc.assert(
      fc.property(row, options, (logits, chosen) => {
        const got = run(logits, chosen);
        const candidates = slacks.map((slack) => oracle(logits, chosen, slack));
        const want = candidates.find((kept) => kept.length === got.length) ?? candidates[0];
        expect(ids(got)).toEqual(ids(want));
        for (let j = 0; j < got.length; j++) {
          expect(got[j].probability).toBeCloseTo(want[j].probability, 12);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('gives the same from a used workspace and from any offset', () => {
    fc.assert(
      fc.property(row, row, options, (first, second, chosen) => {
        const size = Math.min(first.length, second.length);
        const both = Float32Array.from([...first.slice(0, size), ...second.slice(0, size)]);
        if (!both.slice(size).some((value) => value > -Infinity)) return;
        const survivors = createSurvivors(chosen, size);
        const filter = createFilter(chosen, size);
        if (first.slice(0, size).some((value) => value > -Infinity)) filter(both, 0, survivors);
        filter(both, size, survivors);
        const fresh = run(both, chosen, size);
        expect(Array.from(survivors.ids.subarray(0, survivors.count))).toEqual(ids(fresh));
        expect(Array.from(survivors.probabilities.subarray(0, survivors.count))).toEqual(
          fresh.map(({ probability }) => probability),
        );
        const max = Math.max(...both.slice(size).filter((value) => !Number.isNaN(value)));
        expect(survivors.ids[survivors.top]).toBe(both.slice(size).indexOf(max));
        expect(survivors.scores[survivors.top]).toBe(0);
      }),
    );
  });

  it('decides ties at the cut of top-k and of top-p by the lowest id', () => {
    expect(ids(run(Float32Array.of(1, 3, 1, 1, 3), { topK: 3 }))).toEqual([0, 1, 4]);
    expect(ids(run(Float32Array.of(2, 2, 2, 2), { topP: 0.5 }))).toEqual([0, 1]);
    expect(ids(run(Float32Array.of(2, 2, 2, 2), { topP: 0.51 }))).toEqual([0, 1, 2]);
  });

  it('keeps the crossing token of top-p and the equal share of min-p', () => {
    const logits = Float32Array.from([0.5, 0.25, 0.125, 0.125], Math.log);
    expect(ids(run(logits, { topP: 0.5 - 1e-6 }))).toEqual([0]);
    expect(ids(run(logits, { topP: 0.6 }))).toEqual([0, 1]);
    expect(ids(run(Float32Array.of(4, 4, 1), { minP: 1 }))).toEqual([0, 1]);
  });

  it('takes top-p of what top-k left', () => {
    // Half of the whole needs three of the eight; half of the two that top-k leaves is one.
    const flat = Float32Array.of(0.1, 0, 0, 0, 0, 0, 0, 0);
    expect(ids(run(flat, { topP: 0.3 }))).toEqual([0, 1, 2]);
    expect(ids(run(flat, { topK: 2, topP: 0.3 }))).toEqual([0]);
  });

  it('shares all mass among +Infinity', () => {
    expect(run(Float32Array.of(5, Infinity, 5, Infinity), {})).toEqual([
      { id: 1, probability: 0.5 },
      { id: 3, probability: 0.5 },
    ]);
  });

  it('keeps the argmax alone at temperature 0, whatever the filters', () => {
    expect(run(Float32Array.of(1, 7, 7), { temperature: 0, topK: 2 })).toEqual([
      { id: 1, probability: 1 },
    ]);
  });

  it('stands extreme temperatures', () => {
    const logits = Float32Array.of(-3e38, 1, 1, 3e38);
    expect(ids(run(logits, { temperature: Number.MIN_VALUE }))).toEqual([3]);
    expect(ids(run(logits, { temperature: Number.MAX_VALUE }))).toEqual([0, 1, 2, 3]);
  });

  it('drops tokens beyond the reach of the noise', () => {
    expect(ids(run(Float32Array.of(0, -40.9, -41.1), {}))).toEqual([0, 1]);
  });

  it('says when there is no distribution', () => {
    expect(() => run(Float32Array.of(-Infinity, NaN), {})).toThrow(/no distribution/);
    expect(() => run(Float32Array.of(-Infinity, NaN), { temperature: 0 })).toThrow(
      /no distribution/,
    );
  });

  it('makes workspaces no larger than what can survive', () => {
    expect(createSurvivors({ ...GREEDY, temperature: 1, topK: 40 }, 32000).ids.length).toBe(40);
    expect(createSurvivors({ ...GREEDY, temperature: 1, topK: 400 }, 256).ids.length).toBe(256);
  });
});
