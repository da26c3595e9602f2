import { describe, expect, test } from 'vitest';
import { type PairedSample, speedupInterval } from '../../src/measurement/bootstrap.js';
import {
  holmVerdicts,
  resamplesFor,
  type SpeedupEstimate,
} from '../../src/measurement/ratio-estimate.js';
import { uniforms } from '../helpers/random.js';

/** Prompts of very different lengths; the method's gain varies by prompt, and every run has noise of its own. */
function simulate(options: {
  random: () => number;
  prompts: number;
  repetitions: number;
  speedup: number;
  promptSpread: number;
  noise: number;
}): PairedSample[] {
  const { random, prompts, repetitions, speedup, promptSpread, noise } = options;
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: prompts }, (_, i) => {
    const length = Math.exp(0.5 * normal());
    const gain = Math.exp(promptSpread * normal() - promptSpread ** 2 / 2);
    const runs = (seconds: number) =>
      Array.from({ length: repetitions }, () => seconds * (1 + noise * normal()));
    return {
      prompt: `p${i}`,
      baselineSeconds: runs(length),
      methodSeconds: runs((length * gain) / speedup),
    };
  });
}

function coverage(settings: Omit<Parameters<typeof simulate>[0], 'random'>): number {
  const random = uniforms(7);
  const experiments = 300;
  let held = 0;
  for (let seed = 0; seed < experiments; seed++) {
    const { ci95 } = speedupInterval(simulate({ random, ...settings }), { seed, resamples: 600 });
    if (ci95[0] <= settings.speedup && settings.speedup <= ci95[1]) held++;
  }
  return held / experiments;
}

describe('speedupInterval', () => {
  test('is the ratio of summed times, not the mean of ratios', () => {
    const { speedup } = speedupInterval(
      [
        { prompt: 'long', baselineSeconds: [10, 10], methodSeconds: [5, 5] },
        { prompt: 'short', baselineSeconds: [1, 1], methodSeconds: [1, 1] },
      ],
      { seed: 0 },
    );
    expect(speedup).toBeCloseTo(22 / 12, 12);
  });

  test('compares times per token where the outputs differ in length', () => {
    const sample = { prompt: 'a', baselineSeconds: [4], methodSeconds: [4] };
    const tokens = { baseline: [10], method: [20] };
    expect(speedupInterval([{ ...sample, tokens }], { seed: 0 }).speedup).toBeCloseTo(2, 12);
  });

  test('is the same for the same seed and another for another', () => {
    const samples = simulate({
      random: uniforms(1),
      prompts: 20,
      repetitions: 3,
      speedup: 1.2,
      promptSpread: 0.2,
      noise: 0.05,
    });
    const interval = (seed: number) => speedupInterval(samples, { seed }).ci95;
    expect(interval(3)).toEqual(interval(3));
    expect(interval(3)).not.toEqual(interval(4));
  });

  // 300 experiments: three standard errors are 3.8 points around 95%.
  test.each([
    ['five prompts', { prompts: 5, promptSpread: 0.15 }],
    ['forty prompts', { prompts: 40, promptSpread: 0.15 }],
    ['hundred prompts', { prompts: 100, promptSpread: 0.15 }],
  ])('nineteen intervals in twenty hold the truth: %s', (_, settings) => {
    const held = coverage({ repetitions: 3, speedup: 1.3, noise: 0.05, ...settings });
    expect(held).toBeGreaterThan(0.912);
    expect(held).toBeLessThan(0.988);
  });

  test('prompts that agree and noisy repetitions: never too narrow', () => {
    const settings = { prompts: 40, promptSpread: 0, speedup: 1, noise: 0.05 };
    expect(coverage({ repetitions: 3, ...settings })).toBeGreaterThan(0.95);
  });

  test('nineteen pooled intervals in twenty hold the truth: datasets that gain differently', () => {
    const random = uniforms(11);
    const truths = [0.7, 1, 1.3, 1.8];
    const settings = { prompts: 10, repetitions: 3, promptSpread: 0.15, noise: 0.05 };
    // Prompts are as long in every dataset, so the pooled speedup is the harmonic mean.
    const truth = truths.length / truths.reduce((sum, speedup) => sum + 1 / speedup, 0);
    const held = { strata: 0, none: 0 };
    const experiments = 400;
    for (let seed = 0; seed < experiments; seed++) {
      const samples = truths.flatMap((speedup, d) =>
        simulate({ random, speedup, ...settings }).map((sample) => ({
          ...sample,
          stratum: `d${d}`,
        })),
      );
      const holds = (some: readonly PairedSample[]) => {
        const [low, high] = speedupInterval(some, { seed, resamples: 400 }).ci95;
        return low <= truth && truth <= high ? 1 : 0;
      };
      held.strata += holds(samples);
      if (seed < 100) held.none += holds(samples.map((s) => ({ ...s, stratum: 'all' })));
    }
    expect(held.strata / experiments).toBeGreaterThan(0.9);
    expect(held.strata / experiments).toBeLessThan(0.985);
    // As one population they would be far too wide.
    expect(held.none).toBeGreaterThan(97);
  });

  test('strata of one prompt lend their spread from others', () => {
    const sample = (stratum: string, seconds: number): PairedSample => ({
      prompt: `${stratum}${seconds}`,
      stratum,
      baselineSeconds: [1],
      methodSeconds: [seconds],
    });
    const width = (...samples: PairedSample[]) => {
      const [low, high] = speedupInterval(samples, { seed: 0 }).ci95;
      return high - low;
    };
    const others = [0.7, 0.8, 0.9].map((x) => sample('a', x));
    expect(width(sample('b', 0.5), sample('c', 1.5))).toBeGreaterThan(0.2);
    expect(width(...others, sample('b', 0.5))).toBeGreaterThan(width(...others));
    expect(width(sample('a', 0.5), sample('a', 0.5), sample('b', 2), sample('b', 2))).toBe(0);
  });

  test('repetitions of a prompt do not pass for prompts', () => {
    const width = (repetitions: number) => {
      const [low, high] = speedupInterval(
        simulate({
          random: uniforms(2),
          prompts: 15,
          repetitions,
          speedup: 1.3,
          promptSpread: 0.2,
          noise: 0.001,
        }),
        { seed: 0 },
      ).ci95;
      return high - low;
    };
    // Taken for prompts, 16 repetitions would make the interval four times narrower.
    expect(width(16) / width(1)).toBeGreaterThan(0.6);
  });

  test('the verdict says "faster" or "slower" exactly when the interval leaves out 1', () => {
    const random = uniforms(9);
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const speedup = 0.8 + (0.4 * seed) / 60;
      const settings = { prompts: 12, repetitions: 2, speedup, promptSpread: 0.15, noise: 0.02 };
      const estimate = speedupInterval(simulate({ random, ...settings }), { seed });
      const [low, high] = estimate.ci95;
      const expected = low > 1 ? 'faster' : high < 1 ? 'slower' : 'not distinguishable from 1.0x';
      expect(estimate.verdict).toBe(expected);
      seen.add(estimate.verdict);
    }
    expect(seen.size).toBe(3);
  });

  test('identical times are not distinguishable, and one prompt has no verdict', () => {
    const same = { prompt: 'a', baselineSeconds: [1, 1], methodSeconds: [1, 1] };
    expect(speedupInterval([same, same], { seed: 0 })).toEqual({
      speedup: 1,
      ci95: [1, 1],
      pValue: 1,
      verdict: 'not distinguishable from 1.0x',
    });
    const fast = { prompt: 'a', baselineSeconds: [3, 3], methodSeconds: [1, 1] };
    expect(speedupInterval([fast], { seed: 0 }).verdict).toBe('not distinguishable from 1.0x');
  });

  test('refuses samples that are not paired', () => {
    const bad = { prompt: 'p7', baselineSeconds: [1, 1], methodSeconds: [1] };
    expect(() => speedupInterval([bad], { seed: 0 })).toThrow(/p7/);
    expect(() => speedupInterval([], { seed: 0 })).toThrow(RangeError);
    const zero = { prompt: 'p8', baselineSeconds: [1], methodSeconds: [0] };
    expect(() => speedupInterval([zero], { seed: 0 })).toThrow(/p8/);
  });
});

test('holmVerdicts takes back what only holds for one comparison', () => {
  const estimate = (pValue: number, speedup: number): SpeedupEstimate => ({
    speedup,
    ci95: [speedup, speedup],
    pValue,
    verdict: 'faster',
  });
  const verdicts = holmVerdicts([estimate(0.03, 1.1), estimate(0.001, 0.9), estimate(0.04, 1.2)]);
  expect(verdicts.map(({ verdict }) => verdict)).toEqual([
    'not distinguishable from 1.0x',
    'slower',
    'not distinguishable from 1.0x',
  ]);
});

test.each([1, 50, 51, 400])('%i clear gains are all told from 1', (comparisons) => {
  const samples = simulate({
    ...{
      random: uniforms(3),
      prompts: 12,
      repetitions: 2,
      speedup: 2,
      promptSpread: 0.1,
      noise: 0.02,
    },
  });
  const estimate = speedupInterval(samples, { seed: 1, resamples: resamplesFor(comparisons) });
  const verdicts = holmVerdicts(Array.from({ length: comparisons }, () => estimate));
  expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(['faster']));
});
