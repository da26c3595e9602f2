/**
 * Which of several profiles to decode a text with: a bandit (UCB1, Auer, Cesa-Bianchi and Fischer 2002) for each kind of text, over
 * prices that are counted and not timed. The same requests in the same order get the same choices.
 *
 * | symbol | shape     | meaning                                                                                  |
 * |--------|-----------|------------------------------------------------------------------------------------------|
 * | tau_i  | scalar    | price of a token that profile i promises, in tokens of autoregressive decoding            |
 * | N_i    | scalar    | tokens that it made in texts of the kind, and PRIOR more at tau_i                          |
 * | p_i    | scalar    | price of a token over these                                                              |
 *
 * The least of p_i - SPREAD sqrt(ln(sum N) / N_i) is chosen, the first of equals.
 */

/** A promise counts for as much as so many tokens. */
const PRIOR = 16;
/** About how far the price of single tokens lies from its mean. */
const SPREAD = 0.5;

export interface Bandit {
  /** The arm to pull for a kind of text. */
  choose(kind: string): number;
  /** Tokens that an arm made, and what they cost in tokens of autoregressive decoding. */
  learn(kind: string, arm: number, tokens: number, cost: number): void;
}

/** @param promised tau of each arm, at least one. */
export function createBandit(promised: readonly number[]): Bandit {
  const kinds = new Map<string, { tokens: number; cost: number }[]>();
  const armsOf = (kind: string) => {
    const arms = kinds.get(kind) ?? promised.map((tau) => ({ tokens: PRIOR, cost: PRIOR * tau }));
    kinds.set(kind, arms);
    return arms;
  };
  return {
    choose(kind) {
      const arms = armsOf(kind);
      const doubt = Math.log(arms.reduce((sum, { tokens }) => sum + tokens, 0));
      const bounds = arms.map(
        ({ tokens, cost }) => cost / tokens - SPREAD * Math.sqrt(doubt / tokens),
      );
      return bounds.indexOf(Math.min(...bounds));
    },
    learn(kind, arm, tokens, cost) {
      const learned = armsOf(kind)[arm]!;
      learned.tokens += tokens;
      learned.cost += cost;
    },
  };
}
