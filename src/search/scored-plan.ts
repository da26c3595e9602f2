import type { DraftPlan } from '../profile/draft-plan.js';
import { bestRule, type Replayed, type RuleScore } from './replay/best-rule.js';
import type { Scored } from './scorer.js';

/** A plan with a mask, and what replay shows of it. */
export interface ReplayedPlan extends Replayed {
  readonly plan: DraftPlan;
}

/** A plan with its best rule. */
export interface ScoredPlan extends RuleScore {
  readonly replayed: ReplayedPlan;
}

/** The plan, and the rule with it, whose predicted speedup is the highest; the earliest of equals. */
export function bestPlan(plans: readonly ReplayedPlan[]): ScoredPlan {
  return plans
    .map((replayed) => ({ replayed, ...bestRule(replayed) }))
    .reduce((best, one) => (one.time.speedup > best.time.speedup ? one : best));
}

/** What a trial came to, by the best of its plans. */
export function scoredTrial(
  mask: Uint8Array,
  { replayed, rule, rounds, time }: ScoredPlan,
): Scored {
  const { plan, prices } = replayed;
  const memories = plan.bridges.filter(({ memory }) => memory).length;
  const count = rounds.rounds.reduce((sum, n) => sum + n, 0);
  return {
    candidate: { mask, draft: rule },
    score: time.speedup,
    // Replay repeats to the bit: on these prompts the score has no noise.
    variance: 0,
    figures: {
      predicted_speedup: time.speedup,
      draft_acceptance_rate: rounds.proposed > 0 ? rounds.accepted / rounds.proposed : 0,
      mean_acceptance_length: rounds.tokens / count,
      c: prices.pass / prices.autoregressive,
      bridges: plan.bridges.length,
      ...(memories > 0 && { memories }),
      ...(plan.words && { head_words: plan.words.length }),
    },
  };
}
