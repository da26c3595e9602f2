/**
 * Falling back to autoregressive decoding while speculation loses, and back.
 *
 * After each round the cost per token of recent rounds (round-costs.ts) is compared with 1, that of autoregressive decoding.
 * Where it is above, nothing is drafted for some tokens; then a few rounds try again, judged on their own. Each trial that
 * loses doubles the pause, one that wins makes it short again. So text that a profile does not suit costs little, and text
 * that turns easy is found soon. Whether to draft depends on earlier rounds alone, never on the tokens at hand, so no coupling
 * is biased.
 */
import type { Drafter } from './drafter.js';
import { createTimePerToken, type RoundCosts } from './round-costs.js';

/** Rounds before the first verdict and in every trial. */
const TRIAL_ROUNDS = 4;
/** Tokens of the first pause and of the longest. */
const SHORTEST_PAUSE = 8;
const LONGEST_PAUSE = 64;

/** A drafter that proposes nothing while drafting loses. */
export function createFallback(drafter: Drafter, costs: RoundCosts): Drafter {
  let time = createTimePerToken(costs);
  let rounds = 0;
  let pause = SHORTEST_PAUSE;
  /** Position of the latest draft, and that from which drafting goes on. */
  let latest = 0;
  let resume = 0;
  return {
    longest: drafter.longest,
    keep: (tokens) => drafter.keep(tokens),
    async propose(draft, last, position, limit) {
      if (position < resume) return;
      latest = position;
      await drafter.propose(draft, last, position, limit);
    },
    verified(drafted, accepted) {
      drafter.verified(drafted, accepted);
      if (drafted === 0) return;
      time.add(drafted, accepted);
      if (++rounds < TRIAL_ROUNDS) return;
      if (time.value <= 1) {
        pause = SHORTEST_PAUSE;
        return;
      }
      // The round ends with the token at latest + accepted + 1.
      resume = latest + accepted + 1 + pause;
      pause = Math.min(2 * pause, LONGEST_PAUSE);
      rounds = 0;
      time = createTimePerToken(costs, 1);
    },
  };
}
