/**
 * A plan's own rounds, timed, against what the cost model says of them. The model is fitted to plans of every kind; one plan has its own
 * memories and added words.
 */
import type { DraftPlan } from '../../profile/draft-plan.js';
import { Random } from '../../random.js';
import type { CalibrationRequest } from './calibrate.js';
import { type CostModel, type DraftPrices, priceDraft, type TimedRound } from './cost-model.js';
import { meanRatio } from './least-squares.js';
import { timePlans } from './timed-rounds.js';

/** Generations with the plan, each behind an autoregressive one. */
const usualGenerations = 12;
/** Drafts are of every length up to this, as most are that rules stop. */
const longestDraft = 4;

/** How much more than predicted draft passes and verifications cost, over autoregressive passes. */
export interface PriceFactors {
  readonly draft: number;
  readonly target: number;
}

/** Times rounds of a plan, interleaved with autoregressive ones. */
export async function timePlan(
  request: CalibrationRequest,
  model: CostModel,
  plan: DraftPlan,
): Promise<PriceFactors> {
  const random = new Random(request.seed);
  const timed = { plans: [plan], usualGenerations, longestDraft, random };
  const pairs = (await timePlans(request, timed)).flat();
  const slowness = ratio(
    pairs.flatMap(({ plain }) => plain),
    (round) => round.targetSeconds,
    (_, { autoregressive }) => autoregressive,
    model,
  );
  const drafted = pairs.flatMap((pair) => pair.drafted);
  return {
    draft:
      ratio(
        drafted,
        (round) => round.draftSeconds,
        (round, { pass, round: once }) => round.drafted * pass + once,
        model,
      ) / slowness,
    target:
      ratio(
        drafted,
        (round) => round.targetSeconds,
        (round, { target }) => target[round.drafted + 1]!,
        model,
      ) / slowness,
  };
}

/** Prices with what was timed of the plan itself. */
export function repriced(prices: DraftPrices, { draft, target }: PriceFactors): DraftPrices {
  return {
    ...prices,
    pass: draft * prices.pass,
    round: draft * prices.round,
    target: prices.target.map((seconds, tokens) => (tokens > 1 ? target * seconds : seconds)),
  };
}

/** Seconds of some rounds over those that a model predicts; 1 of none. */
function ratio(
  rounds: readonly TimedRound[],
  measured: (round: TimedRound) => number,
  predicted: (round: TimedRound, prices: DraftPrices) => number,
  model: CostModel,
): number {
  return meanRatio(
    rounds.map(measured),
    rounds.map((round) =>
      predicted(round, priceDraft(model, round.shape ?? plainShape, round.context)),
    ),
  );
}

/** An autoregressive pass costs the same whatever it is compared with. */
const plainShape = { attention: 1, mlp: 1, head: 1, bridges: 0 };
