/**
 * How many tokens a lookup should propose, by what they cost and by how lookups went so far. It counts and never reads a clock,
 * and it looks at no proposed token, so outputs, counts and tests repeat and no coupling is biased.
 *
 * symbol | shape   | meaning
 * -------|---------|----------------------------------------------------------------------------------------
 * s      | scalar  | where the match is: 0 in the current text, 1 in an earlier one
 * L      | scalar  | tokens before it that are the last ones, 1 to `MOST_MATCHED`, above which nothing changes
 * a_sL   | [2, 8]  | chance that the token after a match of L tokens is accepted
 * v_n    | [N + 1] | a target pass over n + 1 tokens over one of one token, v_0 = 1
 * tau    | scalar  | cost per emitted token of recent rounds (round-costs.ts), at most 1, autoregressive decoding's
 *
 * The n-th token is proposed while it is worth more than it adds to the pass,
 * a_sL a_s(L+1) ... a_s(L+n-1) tau > v_n - v_(n-1): docs/draft-length.md. a is a count that forgets, drawn to a prior.
 */
import { createTimePerToken } from './round-costs.js';

/**
 * a before anything was seen: of a chat model of 135M parameters (SmolLM2) on the bundled calibration instructions,
 * results/lookup-acceptance.json, smoothed where there are few.
 */
const PRIOR = [
  [0.22, 0.53, 0.7, 0.75, 0.8, 0.84, 0.86, 0.94],
  [0.11, 0.17, 0.22, 0.24, 0.3, 0.35, 0.4, 0.6],
] as const;
/** Observations that the prior counts for. */
const PRIOR_WEIGHT = 4;
/** What stays of the counts with every observation, and with every match after which nothing was proposed. */
const MEMORY = 0.95;
const IDLE_MEMORY = 0.99;
/** v_n where the machine's costs are not known: about those of a published model of 135M parameters in int8 on two cores. */
const DEFAULT_VERIFY = Array.from({ length: 17 }, (_, n) => 1 + 0.1 * n);

/** Chooses lengths, and learns from what became of them. */
export interface LookupLength {
  /**
   * How many tokens to propose, up to `limit`, after a match of `matched` tokens in the current text or in an earlier one;
   * 0: none pays.
   */
  choose(matched: number, isEarlier: boolean, limit: number): number;
  /** What became of the proposal that was chosen last; `drafted` 0 where there was none. */
  verified(drafted: number, accepted: number): void;
}

interface Chance {
  readonly prior: number;
  hits: number;
  tries: number;
}

/** @param verify v from n = 0 on; no draft is longer than it reaches. Default: a step of 0.1 for each token. */
export function createLookupLength(verify?: readonly number[]): LookupLength {
  const costs = verify && verify.length > 1 ? verify : DEFAULT_VERIFY;
  const time = createTimePerToken({ draft: 0, verify: costs, timePerToken: 1 });
  const [current, earlier] = PRIOR.map((chances) => chances.map(chance)) as [Chance[], Chance[]];
  let chances = current;
  let match = 1;
  /** Of the n-th token, counted from 0. */
  const at = (n: number): Chance => chances[Math.min(match + n, chances.length) - 1];

  return {
    choose(matched, isEarlier, limit) {
      chances = isEarlier ? earlier : current;
      match = matched;
      const worth = Math.min(1, time.value);
      const most = Math.min(limit, costs.length - 1);
      let reached = 1;
      let gained = 0;
      let best = 0;
      let chosen = 0;
      for (let n = 1; n <= most; n++) {
        reached *= estimate(at(n - 1));
        gained += reached;
        const gain = gained * worth - (costs[n] - costs[0]);
        if (gain > best) {
          best = gain;
          chosen = n;
        }
      }
      if (chosen === 0) for (const each of chances) forget(each, IDLE_MEMORY);
      return chosen;
    },
    verified(drafted, accepted) {
      time.add(drafted, accepted);
      for (let i = 0; i < drafted && i <= accepted; i++) observe(at(i), i < accepted);
    },
  };
}

function chance(prior: number): Chance {
  return { prior, hits: 0, tries: 0 };
}

function estimate({ prior, hits, tries }: Chance): number {
  return (hits + PRIOR_WEIGHT * prior) / (tries + PRIOR_WEIGHT);
}

function forget(chance: Chance, memory: number): void {
  chance.hits *= memory;
  chance.tries *= memory;
}

function observe(chance: Chance, hit: boolean): void {
  forget(chance, MEMORY);
  chance.tries++;
  if (hit) chance.hits++;
}
