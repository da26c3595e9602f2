/**
 * Falling back to autoregressive decoding while speculation loses, and back.
 *
 * symbol | shape  | meaning
 * -------|--------|------------------------------------------------------------------------------------------
 * C(n)   | scalar | what a round of n drafted tokens costs, in tokens of autoregressive decoding (round-costs.ts)
 * t      | scalar | tokens that the round emitted
 * b      | scalar | the budget: what drafting may still lose, in the same unit
 * tau    | scalar | what a token costs with this profile, as its search predicted; below 1 is a gain
 *
 * Drafting spends from a budget: every round adds t - C(n) to b, and every token of output a little. At 0 nothing is drafted
 * until b is enough for a trial again. So over N tokens drafting loses at most the start + RATE N, however bad it is; what it
 * gained may be lost again up to CAP. The budget outlives a generation: on text that a profile does not suit, the next request
 * does not pay for finding that out once more. Whether to draft depends on earlier rounds alone, never on the tokens at hand,
 * so no coupling is biased.
 */
import type { Drafter } from './drafter.js';
import { type RoundCosts, roundCost } from './round-costs.js';

/**
 * b at first, by what the profile promises: START_PER_GAIN (1 - tau) within these bounds. A lower start finds losing text sooner and
 * mistakes a bad beginning for it more often: where a round gains 0.7 tokens with a deviation of 2.2, a walk from 10 comes to 0
 * with a chance of exp(-2 x 0.7 x 10 / 2.2^2), 6%. A profile that promises nothing has nothing to be mistaken about.
 */
const START_PER_GAIN = 40;
const LEAST_START = 2;
const MOST_START = 10;
/** b at most, its growth with every token of output, and what a trial needs; all in tokens. */
const CAP = 24;
const RATE = 0.01;
const TRIAL = 3;

/** What drafting may still lose; one for each method in a process. */
export interface DraftBudget {
  balance: number;
  paused: boolean;
}

/** @param costs of the profile that drafts, where it has some. */
export function createDraftBudget(costs?: Pick<RoundCosts, 'timePerToken'>): DraftBudget {
  const promised = costs ? START_PER_GAIN * (1 - costs.timePerToken) : MOST_START;
  return { balance: Math.max(LEAST_START, Math.min(MOST_START, promised)), paused: false };
}

/** A budget over one generation. */
export interface BudgetKeeper {
  /** Whether a round at this position may draft; asked once in every round that could. */
  allows(position: number): boolean;
  /** Adds what a round with draft passes came to. */
  spend(drafted: number, accepted: number, passes: number): void;
}

/** Keeps a budget over one generation, whose rounds cost this much. */
export function createBudgetKeeper(budget: DraftBudget, costs: RoundCosts): BudgetKeeper {
  /** Position of the latest round that asked, to count the tokens since, whoever drafted them; -1 before the first. */
  let latest = -1;
  const add = (tokens: number) => {
    budget.balance = Math.min(CAP, budget.balance + tokens);
    if (budget.balance <= 0) budget.paused = true;
    else if (budget.balance >= TRIAL) budget.paused = false;
  };
  return {
    allows(position) {
      if (latest >= 0) add(RATE * (position - latest));
      latest = position;
      return !budget.paused;
    },
    spend: (drafted, accepted, passes) => add(accepted + 1 - roundCost(costs, drafted, passes)),
  };
}

/** A drafter that proposes nothing while its budget is spent. */
export function createFallback(drafter: Drafter, costs: RoundCosts, budget: DraftBudget): Drafter {
  const keeper = createBudgetKeeper(budget, costs);
  return {
    longest: drafter.longest,
    keep: (tokens) => drafter.keep(tokens),
    async propose(draft, last, position, limit) {
      if (keeper.allows(position)) await drafter.propose(draft, last, position, limit);
    },
    verified(drafted, accepted) {
      drafter.verified(drafted, accepted);
      if (drafted > 0) keeper.spend(drafted, accepted, drafted);
    },
    close: () => drafter.close(),
  };
}
