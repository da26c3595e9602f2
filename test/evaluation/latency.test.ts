import { expect, test } from 'vitest';
import { emptyStatistics } from '../../src/decoding/statistics.js';
import { latencies, tokenSeconds } from '../../src/evaluation/latency.js';

/** A generation of `tokens` tokens whose rounds took these seconds, half of them drafting. */
function generation(tokens: number, accepted: number[], seconds: number[], prefillSeconds = 0.5) {
  const half = seconds.map((time) => time / 2);
  return {
    tokens: Array.from({ length: tokens }, () => 1),
    statistics: { ...emptyStatistics(), prefillSeconds },
    rounds: {
      accepted,
      drafted: accepted,
      draftPasses: accepted,
      draftSeconds: half,
      targetSeconds: half,
    },
    elapsedSeconds: seconds.reduce((sum, time) => sum + time, 0),
  };
}

test('the tokens of a round share its time, and tokens past the output have none', () => {
  // The first token is the prefill's; then 3 of one round, 1, and 2 of the 4 that the last emitted.
  const seconds = tokenSeconds(generation(7, [2, 0, 3], [3, 5, 4]));
  expect(seconds).toEqual([1, 1, 1, 5, 2, 2]);
});

test('a generation of the first token alone has no latency of further ones', () => {
  const latency = latencies([generation(1, [], [])]);
  expect(latency).toEqual({
    first_token: { p50: 0.5, p90: null, p99: null },
    token: null,
    request: { p50: 0.5, p90: null, p99: null },
  });
  expect(latencies([])).toBeNull();
});

test('percentiles go over generations and over tokens, where there are enough', () => {
  const samples = Array.from({ length: 20 }, (_, i) =>
    generation(6, [0, 0, 0, 0, 0], [1, 1, 1, 1, i === 0 ? 9 : 1], i + 1),
  );
  const latency = latencies(samples)!;
  // Of 1 to 20, between the values where need be.
  expect(latency.first_token).toEqual({ p50: 10.5, p90: expect.closeTo(18.1), p99: null });
  // Of 100 tokens one took nine seconds.
  expect(latency.token).toEqual({ p50: 1, p90: 1, p99: expect.closeTo(1.08) });
  expect(latency.request).toEqual({ p50: 15.5, p90: expect.closeTo(23.1), p99: null });
});
