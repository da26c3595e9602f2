import { describe, expect, test } from 'vitest';
import { type RatioCluster, speedRatio } from '../../src/measurement/speed-ratio.js';
import { uniforms } from '../helpers/random.js';

const run = (seconds: number, tokens: number) => ({ seconds, tokens });

/** Prompts of different lengths that the second run decodes faster by about `gain`, more or less by prompt. */
function prompts(count: number, gain: number, random: () => number): RatioCluster[] {
  return Array.from({ length: count }, (_, i) => {
    const tokens = 20 + Math.floor(100 * random());
    const seconds = tokens * (0.9 + 0.2 * random());
    const faster = (seconds / gain) * (0.8 + 0.4 * random());
    return { prompt: `p${i}`, above: [run(faster, tokens)], below: [run(seconds, tokens)] };
  });
}

describe('speedRatio', () => {
  test('is a ratio of summed times per token, of speeds and of speedups', () => {
    const two = [
      { prompt: 'a', above: [run(1, 10)], below: [run(4, 20)] },
      { prompt: 'b', above: [run(2, 20)], below: [run(2, 10)] },
    ];
    expect(speedRatio(two, { seed: 0 }).speedup).toBeCloseTo(30 / 3 / (30 / 6), 12);
    // Speedups of 6 and of 2: second over its baseline, first over its own.
    const [second, itsBaseline, first, baseline] = [
      run(1, 12),
      run(6, 12),
      run(3, 12),
      run(6, 12),
    ] as const;
    const speedups = [{ prompt: 'a', above: [second, baseline], below: [first, itsBaseline] }];
    expect(speedRatio(speedups, { seed: 0 }).speedup).toBeCloseTo(6 / 2, 12);
  });

  test('has the interval that linearisation gives for many prompts', () => {
    const clusters = prompts(400, 1.2, uniforms(5));
    const { speedup, ci95, verdict } = speedRatio(clusters, { seed: 1 });
    // log S = log(sum of below) - log(sum of above), tokens being the same: its variance is n times that of the terms.
    const sum = (of: 'above' | 'below') =>
      clusters.reduce((total, one) => total + one[of][0]!.seconds, 0);
    const terms = clusters.map(
      ({ above, below }) => below[0]!.seconds / sum('below') - above[0]!.seconds / sum('above'),
    );
    const error = Math.sqrt(terms.reduce((total, term) => total + term ** 2, 0));
    expect(Math.log(ci95[1] / speedup) / (1.96 * error)).toBeCloseTo(1, 0.7);
    expect(Math.log(speedup / ci95[0]) / (1.96 * error)).toBeCloseTo(1, 0.7);
    expect(verdict).toBe('faster');
  });

  test('is exactly 1 for runs that are the same, whatever the draw', () => {
    const clusters = prompts(9, 1.3, uniforms(2)).map(({ prompt, above, below }) => ({
      prompt,
      above: [above[0]!, below[0]!],
      below: [above[0]!, below[0]!],
    }));
    expect(speedRatio(clusters, { seed: 0 })).toMatchObject({
      speedup: 1,
      ci95: [1, 1],
      verdict: 'not distinguishable from 1.0x',
    });
  });

  test('draws within strata', () => {
    // All prompts of a dataset alike: nothing varies but which dataset is drawn how often, and that does not.
    const clusters = Array.from({ length: 12 }, (_, i) => ({
      prompt: `p${i}`,
      stratum: i < 6 ? 'a' : 'b',
      above: [run(i < 6 ? 1 : 3, 10)],
      below: [run(i < 6 ? 2 : 3, 10)],
    }));
    const { ci95, speedup } = speedRatio(clusters, { seed: 0 });
    expect(ci95).toEqual([speedup, speedup]);
    const { ci95: mixed } = speedRatio(
      clusters.map(({ stratum: _, ...one }) => one),
      { seed: 0 },
    );
    expect(mixed[1]).toBeGreaterThan(mixed[0]);
  });

  test('refuses no prompt, and prompts that do not match', () => {
    expect(() => speedRatio([], { seed: 0 })).toThrow(/at least one prompt/);
    const [one] = prompts(1, 1, uniforms(1));
    for (const other of [
      { ...one!, below: [] },
      { ...one!, above: [run(0, 3)] },
    ])
      expect(() => speedRatio([one!, other], { seed: 0 })).toThrow(RangeError);
  });
});
