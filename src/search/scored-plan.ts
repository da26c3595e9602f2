import type { ExitCosts } from '../decoding/cost-exit.js';
import { decoderExit } from '../decoding/draft-rule.js';
import type { SearchedRule } from '../optimise/candidate.js';
import type { DraftPlan } from '../profile/draft-plan.js';
import { type CostRule, costRule, replayedCosts } from './cost-rule.js';
import type { Finalist } from './finalist.js';
import { bestRule, type Replayed, scoreRule } from './replay/best-rule.js';
import type { SimulatedRounds } from './replay/simulate.js';
import { simulateCascade } from './replay/simulate-cascade.js';
import type { Scored } from './scorer.js';

/** A plan with a mask, and what replay shows of it. */
export interface ReplayedPlan extends Replayed {
  readonly plan: DraftPlan;
}

/** The ways of decoding with a plan's drafts. */
export type PlanMethod = 'skip' | 'cascade';

/** A plan with the searched rule that is best for its drafts alone, and what each way of decoding with it is predicted to come to. */
export interface ScoredPlan {
  readonly replayed: ReplayedPlan;
  readonly rule: SearchedRule;
  /** Of decoding with its drafts alone. */
  readonly rounds: SimulatedRounds;
  readonly costs: ExitCosts;
  readonly speedups: Readonly<Record<PlanMethod, number>>;
}

/** The way of decoding that is predicted to be the fastest. */
export function bestMethod({ speedups }: Pick<ScoredPlan, 'speedups'>): PlanMethod {
  return speedups.cascade > speedups.skip ? 'cascade' : 'skip';
}

/** The highest predicted speedup. */
export function scoreOfPlan(scored: Pick<ScoredPlan, 'speedups'>): number {
  return scored.speedups[bestMethod(scored)];
}

/** The plan whose predicted speedup is the highest, and the rule with it; the earliest of equals. */
export async function bestPlan(plans: readonly ReplayedPlan[]): Promise<ScoredPlan> {
  let best: ScoredPlan | undefined;
  for (const replayed of plans) {
    const scored = await scorePlan(replayed);
    if (!best || scoreOfPlan(scored) > scoreOfPlan(best)) best = scored;
  }
  return best!;
}

async function scorePlan(replayed: ReplayedPlan): Promise<ScoredPlan> {
  const { rule, rounds, time } = bestRule(replayed);
  const costs = replayedCosts(replayed, time.speedup);
  const speedups = { skip: time.speedup, cascade: await cascadeSpeedup(replayed, rule, costs) };
  return { replayed, rule, rounds, costs, speedups };
}

async function cascadeSpeedup(
  { records, prices }: Replayed,
  draft: Finalist['draft'],
  costs: ExitCosts,
): Promise<number> {
  const { draftLength } = draft;
  const exit = decoderExit(draft, costs);
  return (await simulateCascade(records, prices, { draftLength, exit, costs })).time.speedup;
}

/** A plan with the cost rule, and what each way of decoding with it is predicted to come to. */
export async function scoreCostRule({
  replayed,
  speedups,
}: ScoredPlan): Promise<CostRule & Pick<ScoredPlan, 'speedups'>> {
  const { draft, costs } = costRule(replayed, speedups.skip);
  const { time } = scoreRule(replayed, decoderExit(draft, costs), draft.draftLength);
  const cascade = await cascadeSpeedup(replayed, draft, costs);
  return { draft, costs, speedups: { skip: time.speedup, cascade } };
}

/** What a trial came to, by the best of its plans. */
export function scoredTrial(mask: Uint8Array, scored: ScoredPlan): Scored {
  const { replayed, rule, rounds, speedups } = scored;
  const { plan, prices } = replayed;
  const memories = plan.bridges.filter(({ memory }) => memory).length;
  const count = rounds.rounds.reduce((sum, n) => sum + n, 0);
  const score = scoreOfPlan(scored);
  return {
    candidate: { mask, draft: rule },
    score,
    // Replay repeats to the bit: on these prompts the score has no noise.
    variance: 0,
    figures: {
      predicted_speedup: score,
      predicted_speedup_skip: speedups.skip,
      predicted_speedup_cascade: speedups.cascade,
      draft_acceptance_rate: rounds.proposed > 0 ? rounds.accepted / rounds.proposed : 0,
      mean_acceptance_length: rounds.tokens / count,
      c: prices.pass / prices.autoregressive,
      bridges: plan.bridges.length,
      ...(memories > 0 && { memories }),
      ...(plan.words && { head_words: plan.words.length }),
    },
  };
}
