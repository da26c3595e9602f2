import {
  canonicalDraft,
  type DraftRule,
  MAX_DRAFT_LENGTH,
  MIN_DRAFT_LENGTH,
  THRESHOLDS,
} from '../candidate.js';
import type { DraftPrices } from '../cost/cost-model.js';
import type { ReplayRecord } from './records.js';
import {
  type PredictedTime,
  priceRounds,
  type SimulatedRounds,
  simulateRounds,
} from './simulate.js';

/** A rule and what decoding with it is predicted to come to. */
export interface RuleScore {
  readonly rule: DraftRule;
  readonly rounds: SimulatedRounds;
  readonly time: PredictedTime;
}

const lengths = Array.from(
  { length: MAX_DRAFT_LENGTH - MIN_DRAFT_LENGTH + 1 },
  (_, i) => MIN_DRAFT_LENGTH + i,
);

/** Every rule that the search considers. A threshold of 0 is a fixed length. */
const rules: readonly DraftRule[] = lengths.flatMap((draftLength): DraftRule[] => [
  { exit: 'fixed', draftLength, threshold: 0 },
  ...THRESHOLDS.filter((threshold) => threshold > 0).flatMap((threshold): DraftRule[] => [
    { exit: 'threshold', draftLength, threshold },
    { exit: 'adaptive', draftLength, threshold },
  ]),
]);

/** What a rule is predicted to come to on replayed prompts. */
export function scoreRule(
  records: readonly ReplayRecord[],
  rule: DraftRule,
  prices: DraftPrices,
): RuleScore {
  const { exit, draftLength, threshold } = canonicalDraft(rule);
  const rounds = simulateRounds(
    records,
    exit === 'fixed' ? { exit } : { exit, threshold },
    draftLength,
  );
  return { rule, rounds, time: priceRounds(rounds, prices) };
}

/** The rule with the highest predicted speedup; the earliest of equals. */
export function bestRule(records: readonly ReplayRecord[], prices: DraftPrices): RuleScore {
  let best: RuleScore | undefined;
  for (const rule of rules) {
    const score = scoreRule(records, rule, prices);
    if (!best || score.time.speedup > best.time.speedup) best = score;
  }
  return best!;
}
