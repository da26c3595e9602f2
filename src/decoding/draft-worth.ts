/**
 * What rounds that begin with a draft pass are worth, by how they went so far. It counts and never reads a clock.
 *
 * symbol | shape  | meaning
 * -------|--------|------------------------------------------------------------------------------------------
 * A      | scalar | accepted tokens of such a round, an average that forgets, drawn to what the profile promises
 * C      | scalar | what it costs, in tokens of autoregressive decoding; averaged alike
 * tau    | scalar | what a token is worth (lookup-length.ts)
 *
 * Beside a round that drafts nothing, which costs 1, it gains tau A - (C - 1). The profile promises a time per token, tau_0 =
 * C / (1 + A); the split into A and C that it leaves open is that of the shortest draft with which no more than MOST_ACCEPTED
 * of its tokens would have to be accepted.
 */
import { type RoundCosts, roundCost } from './round-costs.js';

const MOST_ACCEPTED = 0.9;
/**
 * Rounds that the promise counts for, and what stays of the sums with every such round. A round's gain deviates by some five times
 * what it is on average: with 8 and 0.95 most drafts that gain were given up after a bad beginning. What a longer memory loses
 * where a promise is not kept is less, and the budget (fallback.ts) bounds it.
 */
const PRIOR_WEIGHT = 24;
const MEMORY = 0.99;
/** What stays with every round in which there could have been one. */
const IDLE_MEMORY = 0.999;

/** What drafts with passes were worth; one for each method in a process. */
export interface DraftWorth {
  /** tau A - (C - 1). */
  gain(worth: number): number;
  /** What a round with draft passes came to. */
  verified(drafted: number, accepted: number, passes: number): void;
  /** A round had none: what is known of them fades. */
  idle(): void;
}

/** Nothing but the promise yet. */
export function createDraftWorth(costs: RoundCosts): DraftWorth {
  const promised = promisedRound(costs);
  const sums = { accepted: 0, cost: 0, rounds: 0 };
  const average = (sum: number, prior: number) =>
    (sum + PRIOR_WEIGHT * prior) / (sums.rounds + PRIOR_WEIGHT);
  const keep = (memory: number) => {
    sums.accepted *= memory;
    sums.cost *= memory;
    sums.rounds *= memory;
  };
  return {
    gain: (worth) =>
      worth * average(sums.accepted, promised.accepted) - (average(sums.cost, promised.cost) - 1),
    verified(drafted, accepted, passes) {
      keep(MEMORY);
      sums.accepted += accepted;
      sums.cost += roundCost(costs, drafted, passes);
      sums.rounds++;
    },
    idle: () => keep(IDLE_MEMORY),
  };
}

function promisedRound(costs: RoundCosts): { accepted: number; cost: number } {
  for (let n = 1; ; n++) {
    const cost = roundCost(costs, n);
    const accepted = cost / costs.timePerToken - 1;
    if (accepted <= MOST_ACCEPTED * n || n === costs.verify.length - 1) return { accepted, cost };
  }
}
