/**
 * The cost rule: draft on while the tokens that this may gain are worth more than they cost.
 *
 * | symbol | shape  | meaning                                                                          |
 * |--------|--------|----------------------------------------------------------------------------------|
 * | n      | scalar | tokens in the draft so far                                                       |
 * | q_i    | [n]    | the draft's confidence in each                                                   |
 * | S      | scalar | chance that all n are accepted: product of p(q_i), p the calibrated acceptance     |
 * | r      | scalar | r(q_n), chance that the next token is accepted once these are; also calibrated     |
 * | C(n)   | scalar | n c + v_n, cost of a round (round-costs.ts)                                      |
 * | tau    | scalar | cost per token of decoding as it goes                                            |
 *
 * A token is worth tau, and drafting goes on when for some m, with n + m <= K,
 *
 *     tau S (r + r^2 + ... + r^m) > C(n + m) - C(n).
 *
 * tau starts at the profile's and follows the rounds of the generation. Why this maximises speed: docs/draft-length.md.
 */
import { InputError } from '../errors.js';
import { type AcceptanceCurves, acceptanceAt } from './acceptance-curve.js';
import type { DraftExitState } from './draft-exit-state.js';
import { createTimePerToken, type RoundCosts, roundCost } from './round-costs.js';

/** What the rule knows: costs and calibrated acceptance of one mask, as a profile stores them. */
export interface ExitCosts extends RoundCosts, AcceptanceCurves {}

/**
 * The rule over one generation.
 * @param draftLength K
 * @throws InputError when the costs do not reach to drafts of K tokens.
 */
export function createCostExit(costs: ExitCosts, draftLength: number): DraftExitState {
  const known = costs.verify.length - 1;
  if (draftLength > known) {
    throw new InputError(
      `draft_length is ${draftLength}, but the costs for the draft exit "cost" end at drafts of ${known} tokens; give a draft length of ${known} or less, or another draft exit.`,
    );
  }
  const time = createTimePerToken(costs);
  let survival = 1;
  return {
    threshold: 0,
    shouldStop(drafted, confidence) {
      survival = (drafted === 1 ? 1 : survival) * acceptanceAt(costs.acceptance, confidence);
      const next = acceptanceAt(costs.nextAcceptance, confidence);
      const spent = roundCost(costs, drafted);
      let reached = survival;
      let gained = 0;
      for (let n = drafted + 1; n <= draftLength; n++) {
        reached *= next;
        gained += reached;
        if (time.value * gained > roundCost(costs, n) - spent) return false;
      }
      return true;
    },
    afterVerify(drafted, accepted) {
      if (drafted > 0) time.add(drafted, accepted);
    },
  };
}
