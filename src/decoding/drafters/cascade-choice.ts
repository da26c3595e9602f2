/**
 * A cascade that chooses in every round what to draft with, by what it is expected to gain.
 *
 * symbol | shape  | meaning
 * -------|--------|------------------------------------------------------------------------------------------
 * G_l    | scalar | what the best number of tokens looked up gains (lookup-length.ts)
 * G_d    | scalar | what rounds that begin with a draft pass gain (draft-worth.ts)
 * S      | scalar | chance that all tokens of the draft so far are accepted: product of p(q_i), calibrated
 * r      | scalar | r(q_n), chance that the token of one more draft pass is accepted once these are
 * v_n, c | scalar | the target pass over n + 1 tokens, and a draft pass (round-costs.ts)
 *
 * While the budget (fallback.ts) allows, a round begins with a draft pass where G_d > G_l, else with the lookup. Where no lookup
 * pays, G_l is 0 and G_d is taken at tau = 1: the round stands beside one that drafts nothing. After every draft pass the text is
 * looked up with the tokens drafted so far: what it is then found to go on with costs no pass. It ends the draft where it gains
 * more than tau S r - (c + v_(n+1) - v_n), the draft pass to come, or where the rule of the method ends the passes. No token is
 * dropped because of its value.
 */
import { acceptanceAt } from '../acceptance-curve.js';
import type { ExitCosts } from '../cost-exit.js';
import { createDraftExit } from '../draft-exit.js';
import type { DraftExitState } from '../draft-exit-state.js';
import type { DraftWorth } from '../draft-worth.js';
import type { Draft, DraftContext, Drafter } from '../drafter.js';
import { createBudgetKeeper, type DraftBudget } from '../fallback.js';
import type { ChosenLength } from '../lookup-length.js';
import { DEFAULT_LOOKUP_LENGTH } from '../prompt-lookup.js';
import { roundCost } from '../round-costs.js';
import type { SkipDrafting } from './kind.js';
import { addLookedUp, type LookupMemory } from './lookup.js';

/** What it learned. */
export interface ChoiceMemory {
  readonly looked: LookupMemory;
  readonly budget: DraftBudget;
  readonly worth: DraftWorth;
}

/** What of a generation the choice itself needs. */
export interface ChoiceContext extends Pick<DraftContext, 'eos'> {
  readonly coupling: Pick<DraftContext['coupling'], 'propose'>;
  /** Opens the draft passes, which the rule that it is given ends. */
  readonly openDrafts: (exit: DraftExitState) => Promise<Drafter>;
}

/** A lookup that may go on with a draft. */
interface Continuation extends ChosenLength {
  readonly place: number;
}

const NOWHERE: Continuation = { place: 0, count: 0, gain: 0 };

/** The most tokens that a draft of such a cascade has: K is for draft passes, lookups go on. */
export function longestChoice(draftLength: number): number {
  return Math.max(draftLength, DEFAULT_LOOKUP_LENGTH);
}

/**
 * The drafter of one generation.
 * @throws InputError for a draft length or draft exit out of range.
 */
export async function openCascadeChoice(
  { draftLength, exit: rule }: Omit<SkipDrafting, 'plan' | 'fallback'>,
  costs: ExitCosts,
  { looked: { lookup, lengths }, budget, worth }: ChoiceMemory,
  { coupling, eos, openDrafts }: ChoiceContext,
): Promise<Drafter> {
  const exit = createDraftExit(rule, draftLength);
  const keeper = createBudgetKeeper(budget, costs);
  const longest = longestChoice(draftLength);
  /** Of the round: the draft in the making, the most tokens that it may have, S, and how a lookup goes on with it. */
  let draft: Draft;
  let most = 0;
  let survival = 1;
  let supposed = 0;
  let found = NOWHERE;
  let passes = 0;

  /** How the text goes on after the draft so far. */
  const lookUp = (): Continuation => {
    for (; supposed < draft.length; supposed++) {
      lookup.suppose(draft.tokens[supposed]!);
      survival *= acceptanceAt(costs.acceptance, draft.confidences[supposed]!);
    }
    const place = lookup.find();
    if (place === 0) return NOWHERE;
    const match = { matched: lookup.matched(place), isEarlier: lookup.isEarlier(place) };
    const before = { drafted: draft.length, survival };
    return { place, ...lengths.choose(match, most - draft.length, before) };
  };

  const shouldStop = (drafted: number, confidence: number): boolean => {
    const { gain } = lookUp();
    if (exit.shouldStop(drafted, confidence)) return true;
    const next = lengths.worth * survival * acceptanceAt(costs.nextAcceptance, confidence);
    const cost = roundCost(costs, drafted + 1) - roundCost(costs, drafted);
    return gain > Math.max(0, next - cost);
  };

  const stops: DraftExitState = { threshold: 0, shouldStop, afterVerify() {} };
  const drafts = await openDrafts(stops);
  lookup.begin();
  return {
    longest,
    keep(tokens) {
      lookup.append(tokens);
      drafts.keep(tokens);
    },
    async propose(into, last, position, limit) {
      draft = into;
      most = Math.min(limit, longest);
      survival = 1;
      supposed = 0;
      const isAllowed = keeper.allows(position);
      found = lookUp();
      const tau = found.count === 0 ? 1 : lengths.worth;
      if (isAllowed && worth.gain(tau) > found.gain) {
        await drafts.propose(draft, last, position, Math.min(limit, draftLength));
        passes = draft.length;
        // Nothing follows an end.
        found = eos.has(draft.tokens[passes - 1]!) ? NOWHERE : lookUp();
      } else worth.idle();
      addLookedUp(draft, lookup, found.place, found.count, coupling);
      lookup.retract();
    },
    verified(drafted, accepted) {
      lengths.verified(drafted, accepted, passes);
      if (passes === 0) return;
      exit.afterVerify(passes, Math.min(accepted, passes));
      worth.verified(drafted, accepted, passes);
      keeper.spend(drafted, accepted, passes);
      // The next round may be too short to ask.
      passes = 0;
    },
    close: () => drafts.close(),
  };
}
