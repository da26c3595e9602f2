import { describe, expect, it } from 'vitest';
import type { MetricCounts } from '../../src/metrics/metric.js';
import { METRIC_NAMES, METRICS, measureMetrics } from '../../src/metrics/registry.js';

const none: MetricCounts = {
  ...{ generations: 0, newTokens: 0, decodeSeconds: 0, draftSeconds: 0, targetSeconds: 0 },
  ...{ targetPasses: 0, draftPasses: 0, proposedTokens: 0, acceptedTokens: 0 },
};
/** Two generations, 20 tokens after their first ones. */
const own: MetricCounts = {
  ...{ generations: 2, newTokens: 22, decodeSeconds: 4, draftSeconds: 1, targetSeconds: 3 },
  ...{ targetPasses: 8, draftPasses: 10, proposedTokens: 10, acceptedTokens: 6 },
};
const baseline: MetricCounts = {
  ...none,
  ...{ generations: 2, newTokens: 22, decodeSeconds: 5, targetSeconds: 5, targetPasses: 20 },
};

describe('the figures of a method', () => {
  it.each([
    ['draft_acceptance_rate', 6 / 10],
    ['mean_acceptance_length', 20 / 8],
    ['c', 1 / 10 / (5 / 20)],
    ['tokens_per_second', 20 / 4],
  ] as const)('%s', (name, value) => {
    expect(METRICS[name].measure(own, baseline)).toBeCloseTo(value, 12);
    expect(METRICS[name].measure(none, none)).toBeNull();
    expect(METRICS[name].schema.safeParse(-1).success).toBe(false);
  });

  it('without autoregressive decoding beside it has none of those that are over it', () => {
    const alone = measureMetrics(own, null);
    const beside = measureMetrics(own, baseline);
    expect(alone).toMatchObject({ c: null, tokens_per_second: 5 });
    for (const name of METRIC_NAMES)
      expect(alone[name]).toBe(METRICS[name].needsBaseline ? null : beside[name]);
  });
});
