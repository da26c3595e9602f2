/**
 * What rounds cost, as a profile stores it, so that decisions on speed never read a clock: outputs, counts and tests repeat.
 *
 * | symbol | shape  | meaning                                                                                  |
 * |--------|--------|------------------------------------------------------------------------------------------|
 * | n      | scalar | drafted tokens of a round, one draft pass each unless they were looked up                |
 * | c      | scalar | a draft pass                                                                             |
 * | v_n    | [K+1]  | a round of n drafted tokens but for its draft passes: the target pass over n + 1 tokens  |
 * | C(n)   | scalar | n c + v_n, the whole round                                                               |
 * | tau    | scalar | cost per emitted token                                                                   |
 *
 * The unit is one token of autoregressive decoding, so v_0 = 1 and speculation gains where tau < 1.
 */

/** Costs of one mask on one machine. */
export interface RoundCosts {
  /** c. */
  readonly draft: number;
  /** v, from n = 0 on. */
  readonly verify: readonly number[];
  /** tau where it was measured. */
  readonly timePerToken: number;
}

/** How much of the past stays in the moving average of tau with every round: about the last 20 rounds count. */
const MEMORY = 0.95;

/** A moving average of tau. */
export interface TimePerToken {
  readonly value: number;
  /** Adds a round. @param passes draft passes of it; default: one for each drafted token. */
  add(drafted: number, accepted: number, passes?: number): void;
}

/** C(n); beyond the stored v the last one stands. @param passes default: one for each drafted token. */
export function roundCost(
  { draft, verify }: Pick<RoundCosts, 'draft' | 'verify'>,
  drafted: number,
  passes: number = drafted,
): number {
  return passes * draft + verify[Math.min(drafted, verify.length - 1)]!;
}

/**
 * tau over recent rounds: the ratio of the moving averages of cost and emitted tokens, because the mean of the rounds' own
 * ratios would count tokens of short rounds for more.
 * @param start tau before the first round, as if all earlier rounds had emitted one token at this cost.
 */
export function createTimePerToken(
  costs: RoundCosts,
  start: number = costs.timePerToken,
): TimePerToken {
  let cost = start;
  let tokens = 1;
  return {
    get value() {
      return cost / tokens;
    },
    add(drafted, accepted, passes) {
      cost = MEMORY * cost + (1 - MEMORY) * roundCost(costs, drafted, passes);
      tokens = MEMORY * tokens + (1 - MEMORY) * (accepted + 1);
    },
  };
}
