import { calibrateCurves, type DraftOutcome } from '../decoding/acceptance-curve.js';
import type { ExitCosts } from '../decoding/cost-exit.js';
import { MAX_DRAFT_LENGTH } from '../optimise/candidate.js';
import type { DraftPrices } from './cost/cost-model.js';
import type { Finalist } from './finalist.js';
import { type Replayed, scoreRule } from './replay/best-rule.js';
import { proposalsAt, type ReplayRecord } from './replay/records.js';

/** Times that the rule is simulated to find the time per token that it reaches itself (Dinkelbach's iteration). */
const iterations = 3;

/** A mask's rule `cost`, and the costs that it weighs. */
export type CostRule = Required<Pick<Finalist, 'draft' | 'costs'>>;

/**
 * The cost rule of a mask, with its costs and its acceptance calibrated on what replay shows.
 * @param speedup predicted of the best other rule, where the iteration starts.
 */
export function costRule(replayed: Replayed, speedup: number): CostRule {
  let costs = replayedCosts(replayed, speedup);
  for (let i = 0; i < iterations; i++) {
    const { time } = scoreRule(replayed, { exit: 'cost', costs }, MAX_DRAFT_LENGTH);
    costs = { ...costs, timePerToken: 1 / time.speedup };
  }
  return { draft: { exit: 'cost', draftLength: MAX_DRAFT_LENGTH, threshold: 0 }, costs };
}

/**
 * What a mask's rounds cost and how often its drafts are right, calibrated on what replay shows.
 * @param speedup predicted of the rule that it drafts with.
 */
export function replayedCosts({ records, prices }: Replayed, speedup: number): ExitCosts {
  return {
    draft: prices.pass / prices.autoregressive,
    verify: Array.from({ length: MAX_DRAFT_LENGTH + 1 }, (_, n) => verifyCost(prices, n)),
    timePerToken: 1 / speedup,
    ...calibrateCurves(records.flatMap(outcomes)),
  };
}

/** v_n of decoding/round-costs.ts, what a round costs beside its draft passes. */
function verifyCost({ target, round, autoregressive }: DraftPrices, drafted: number): number {
  return drafted === 0 ? 1 : (target[drafted + 1]! + round) / autoregressive;
}

/** Drafts of the greatest length from every place where a round of such drafts would start. */
function outcomes(record: ReplayRecord): DraftOutcome[] {
  const { match, confidence, room } = record;
  const first = proposalsAt(record, 0);
  const drafts: DraftOutcome[] = [];
  for (let at = 0; at < match.length; ) {
    const length = Math.min(MAX_DRAFT_LENGTH, room[at]!);
    let accepted = 0;
    while (accepted < length && proposalsAt(record, accepted).match[at + accepted] === 1)
      accepted++;
    const confidences = confidence.slice(at, at + length);
    if (length > 0) confidences[0] = first.confidence[at]!;
    drafts.push({ confidences, accepted });
    at += accepted + 1;
  }
  return drafts;
}
