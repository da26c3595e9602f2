/**
 * How many tokens a lookup should propose, by what they cost and by how lookups went so far. It counts and never reads a clock,
 * and it looks at no proposed token, so outputs, counts and tests repeat and no coupling is biased.
 *
 * symbol | shape   | meaning
 * -------|---------|----------------------------------------------------------------------------------------
 * g      | scalar  | length of the n-gram that was found again, 1 to `maxNgram`
 * a_g    | [g]     | chance that the first token after such an n-gram is accepted
 * b      | scalar  | chance that a later one is, given all before it were: a copy that begins well goes on
 * v_n    | [N + 1] | a target pass over n + 1 tokens over one of one token, v_0 = 1
 * tau    | scalar  | cost per emitted token of recent rounds (round-costs.ts), at most 1, autoregressive decoding's
 *
 * The n-th token is proposed while it is worth more than it adds to the pass: a_g b^(n-1) tau > v_n - v_(n-1), the marginal
 * form of maximising emitted tokens per time (Leviathan et al. 2023, theorem 3.8, with v in place of 1).
 *
 * a and b are counts that forget, drawn to a prior. They forget where nothing is proposed, too, so that text which turns easy
 * is found.
 */
import { createTimePerToken } from './round-costs.js';

/** a_1, a_2, and a_g of longer ones, before anything was seen: of n-gram lookup on Spec-Bench's kinds of text. */
const FIRST = [0.25, 0.4, 0.6] as const;
/** b before anything was seen. */
const LATER = 0.7;
/** Observations that the prior counts for. */
const PRIOR_WEIGHT = 2;
/** What stays of the counts with every observation, and with every n-gram after which nothing was proposed. */
const MEMORY = 0.9;
const IDLE_MEMORY = 0.99;
/** v_n - v_(n-1) where the machine's costs are not known: a published model of 135M parameters in int8 on two cores. */
const DEFAULT_VERIFY = Array.from({ length: 17 }, (_, n) => 1 + 0.1 * n);

/** Chooses lengths in one generation. */
export interface LookupLength {
  /** How many tokens to propose after an n-gram of this length was found again, up to `limit`; 0: none pays. */
  choose(ngram: number, limit: number): number;
  /** What became of the proposal that was chosen last; `drafted` 0 where there was none. */
  verified(drafted: number, accepted: number): void;
}

interface Chance {
  readonly prior: number;
  hits: number;
  tries: number;
}

/** @param verify v from n = 0 on; beyond its end the last step goes on. Default: a step of 0.1 for each token. */
export function createLookupLength(verify?: readonly number[]): LookupLength {
  const costs = verify && verify.length > 1 ? verify : DEFAULT_VERIFY;
  const time = createTimePerToken({ draft: 0, verify: costs, timePerToken: 1 });
  const first = FIRST.map(chance);
  const later = chance(LATER);
  let latest = first[0];

  const step = (n: number): number => {
    const at = Math.min(n, costs.length - 1);
    return costs[at] - costs[at - 1];
  };
  return {
    choose(ngram, limit) {
      latest = first[Math.min(ngram, first.length) - 1];
      const worth = Math.min(1, time.value);
      let reached = estimate(latest);
      let n = 0;
      while (n < limit && reached * worth > step(n + 1)) {
        n++;
        reached *= estimate(later);
      }
      if (n === 0) for (const each of [...first, later]) forget(each, IDLE_MEMORY);
      return n;
    },
    verified(drafted, accepted) {
      time.add(drafted, accepted);
      if (drafted === 0) return;
      observe(latest, accepted > 0);
      for (let i = 1; i < drafted && i <= accepted; i++) observe(later, i < accepted);
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
