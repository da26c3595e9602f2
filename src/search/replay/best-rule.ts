import type { DraftExit } from '../../decoding/draft-exit.js';
import { decoderExit } from '../../decoding/draft-rule.js';
import {
  MAX_DRAFT_LENGTH,
  MIN_DRAFT_LENGTH,
  type SearchedRule,
  THRESHOLDS,
} from '../../optimise/candidate.js';
import type { DraftPrices } from '../cost/cost-model.js';
import type { ReplayRecord } from './records.js';
import {
  type PredictedTime,
  priceRounds,
  type SimulatedRounds,
  simulateRounds,
} from './simulate.js';

/** What replay shows of a mask, and what its passes cost. */
export interface Replayed {
  readonly records: readonly ReplayRecord[];
  readonly prices: DraftPrices;
}

/** A rule and what decoding with it is predicted to come to. */
export interface RuleScore {
  readonly rule: SearchedRule;
  readonly rounds: SimulatedRounds;
  readonly time: PredictedTime;
}

const lengths = Array.from(
  { length: MAX_DRAFT_LENGTH - MIN_DRAFT_LENGTH + 1 },
  (_, i) => MIN_DRAFT_LENGTH + i,
);

/** Every rule that the search considers. A threshold of 0 is a fixed length. */
const rules: readonly SearchedRule[] = lengths.flatMap((draftLength): SearchedRule[] => [
  { exit: 'fixed', draftLength, threshold: 0 },
  ...THRESHOLDS.filter((threshold) => threshold > 0).flatMap((threshold): SearchedRule[] => [
    { exit: 'threshold', draftLength, threshold },
    { exit: 'adaptive', draftLength, threshold },
  ]),
]);

/** What a rule is predicted to come to on replayed prompts. */
export function scoreRule(
  { records, prices }: Replayed,
  exit: DraftExit,
  draftLength: number,
): { readonly rounds: SimulatedRounds; readonly time: PredictedTime } {
  const rounds = simulateRounds(records, exit, draftLength);
  return { rounds, time: priceRounds(rounds, prices) };
}

/** The rule with the highest predicted speedup; the earliest of equals. */
export function bestRule(replayed: Replayed): RuleScore {
  let best: RuleScore | undefined;
  for (const rule of rules) {
    const score = scoreRule(replayed, decoderExit(rule), rule.draftLength);
    if (!best || score.time.speedup > best.time.speedup) best = { rule, ...score };
  }
  return best!;
}
