import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestRule, scoreRule } from '../../../src/search/replay/best-rule.js';
import type { ReplayRecord } from '../../../src/search/replay/records.js';
import { priceRounds, simulateRounds } from '../../../src/search/replay/simulate.js';
import { replayRecord } from '../../helpers/records.js';

const record = fc
  .array(fc.tuple(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((places) =>
    replayRecord(
      Uint8Array.from(places, ([match]) => (match ? 1 : 0)),
      Float64Array.from(places, ([, confidence]) => confidence),
    ),
  );

/** Rounds with a threshold, spelt out. */
function oracle({ match, confidence, room }: ReplayRecord, draftLength: number, threshold: number) {
  const rounds: { drafted: number; accepted: number }[] = [];
  for (let at = 0; at < match.length; ) {
    const open = Array.from(confidence.subarray(at, at + Math.min(draftLength, room[at]!)));
    const unsure = open.findIndex((q) => q < threshold);
    const drafted = unsure === -1 ? open.length : unsure + 1;
    const wrong = Array.from(match.subarray(at, at + drafted)).indexOf(0);
    const accepted = wrong === -1 ? drafted : wrong;
    rounds.push({ drafted, accepted });
    at += accepted + 1;
  }
  return rounds;
}

describe('simulateRounds', () => {
  it('counts what spelt-out rounds come to', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (records, draftLength, threshold) => {
          const got = simulateRounds(records, { exit: 'threshold', threshold }, draftLength);
          const want = records.flatMap((one) => oracle(one, draftLength, threshold));
          expect(got.tokens).toBe(records.reduce((sum, { match }) => sum + match.length, 0));
          expect(got.rounds.reduce((a, b) => a + b)).toBe(want.length);
          for (const [n, count] of got.rounds.entries()) {
            expect(count).toBe(want.filter(({ drafted }) => drafted === n).length);
          }
          expect(got.accepted).toBe(want.reduce((sum, { accepted }) => sum + accepted, 0));
          expect(got.proposed).toBe(want.reduce((sum, { drafted }) => sum + drafted, 0));
          // Every round emits what it accepted and one more.
          expect(got.tokens).toBe(got.accepted + want.length);
        },
      ),
    );
  });

  it('starts every prompt with a fresh adaptive threshold', () => {
    const one = replayRecord(new Uint8Array(30), new Float64Array(30).fill(0.7));
    const alone = simulateRounds([one], { exit: 'adaptive', threshold: 0.699 }, 4);
    const twice = simulateRounds([one, one], { exit: 'adaptive', threshold: 0.699 }, 4);
    expect(Array.from(twice.rounds)).toEqual(Array.from(alone.rounds, (count) => 2 * count));
    // Rejections raise the threshold above the confidence before long.
    expect(alone.rounds[1]).toBeGreaterThan(alone.rounds[4]!);
  });
});

const prices = {
  pass: 0.2,
  round: 0.05,
  target: Float64Array.from({ length: 14 }, (_, tokens) => 0.9 + 0.1 * tokens),
  autoregressive: 1,
};

describe('prices and rules', () => {
  it('adds up passes', () => {
    const rounds = Float64Array.of(1, 0, 2);
    const { seconds, speedup } = priceRounds(
      { tokens: 7, rounds, proposed: 4, accepted: 4 },
      prices,
    );
    expect(seconds).toBeCloseTo(1 + 2 * (2 * 0.2 + 0.05 + 1.2), 12);
    expect(speedup).toBeCloseTo(7 / seconds, 12);
  });

  it('finds the rule that no other beats', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 3 }), (records) => {
        const best = bestRule({ records, prices });
        for (const exit of ['fixed', 'threshold', 'adaptive'] as const) {
          for (const draftLength of [2, 3, 7, 12]) {
            for (const threshold of [0.05, 0.5, 0.95]) {
              const rule = exit === 'fixed' ? { exit } : { exit, threshold };
              const { time } = scoreRule({ records, prices }, rule, draftLength);
              expect(best.time.speedup).toBeGreaterThanOrEqual(time.speedup);
            }
          }
        }
      }),
      { numRuns: 20 },
    );
  });
});
