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
 * a_sL a_s(L+1) ... a_s(L+n-1) tau > v_n - v_(n-1): docs/draft-length.md. a is a count that forgets, drawn to a prior. Where the
 * lookup goes on with a draft of m tokens, all of which are accepted with the chance S, it is S a_sL ... tau > v_(m+n) - v_(m+n-1).
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

/** A match of the last tokens. */
export interface LookupMatch {
  /** Its tokens. */
  readonly matched: number;
  /** Whether it is in an earlier text. */
  readonly isEarlier: boolean;
}

/** A draft that a lookup may go on with. */
export interface DraftBefore {
  readonly drafted: number;
  /** S. */
  readonly survival: number;
}

/** A length, and what it is worth. */
export interface ChosenLength {
  /** 0: none pays. */
  readonly count: number;
  /** tau times the tokens expected to be accepted, less what they add to the pass; 0 or more. */
  readonly gain: number;
}

/** Chooses lengths, and learns from what became of them. */
export interface LookupLength {
  /** What a token of output is worth: tau. */
  readonly worth: number;
  /** How many tokens to propose, `limit` at most. @param before default: the lookup is the whole draft. */
  choose(match: LookupMatch, limit: number, before?: DraftBefore): ChosenLength;
  /**
   * What became of a round and of the proposal that was chosen last.
   * @param drafted tokens of the round, 0 where there were none.
   * @param passes of them those that draft passes proposed, before all that were looked up. Default: none.
   */
  verified(drafted: number, accepted: number, passes?: number): void;
}

interface Chance {
  readonly prior: number;
  hits: number;
  tries: number;
}

const WHOLE_DRAFT: DraftBefore = { drafted: 0, survival: 1 };

/**
 * @param verify v from n = 0 on; no draft is longer than it reaches. Default: a step of 0.1 for each token.
 * @param pass c, where there are draft passes too.
 */
export function createLookupLength(verify?: readonly number[], pass = 0): LookupLength {
  const costs = verify && verify.length > 1 ? verify : DEFAULT_VERIFY;
  const time = createTimePerToken({ draft: pass, verify: costs, timePerToken: 1 });
  const [current, earlier] = PRIOR.map((chances) => chances.map(chance)) as [Chance[], Chance[]];
  let chances = current;
  let match = 1;
  const worth = () => Math.min(1, time.value);
  /** Of the n-th token, counted from 0. */
  const at = (n: number): Chance => chances[Math.min(match + n, chances.length) - 1];

  return {
    get worth() {
      return worth();
    },
    choose({ matched, isEarlier }, limit, { drafted, survival } = WHOLE_DRAFT) {
      chances = isEarlier ? earlier : current;
      match = matched;
      const most = Math.min(limit, costs.length - 1 - drafted);
      let reached = survival;
      let gained = 0;
      let best = 0;
      let chosen = 0;
      for (let n = 1; n <= most; n++) {
        reached *= estimate(at(n - 1));
        gained += reached;
        const gain = gained * worth() - (costs[drafted + n] - costs[drafted]);
        if (gain > best) {
          best = gain;
          chosen = n;
        }
      }
      if (chosen === 0 && drafted === 0) for (const each of chances) forget(each, IDLE_MEMORY);
      return { count: chosen, gain: best };
    },
    verified(drafted, accepted, passes = 0) {
      time.add(drafted, accepted, passes);
      for (let i = passes; i < drafted && i <= accepted; i++) observe(at(i - passes), i < accepted);
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
