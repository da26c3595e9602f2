/**
 * The rounds of a cascade over what replay recorded, without a pass: the decoder's own choices (decoding/drafters/cascade-choice.ts),
 * with its lookups and all that it learns from one prompt to the next; only its draft passes are read from the records. What
 * simulate.ts says of its estimates holds here too.
 */
import type { ExitCosts } from '../../decoding/cost-exit.js';
import type { DraftExit } from '../../decoding/draft-exit.js';
import type { DraftExitState } from '../../decoding/draft-exit-state.js';
import { createDraftWorth } from '../../decoding/draft-worth.js';
import type { Draft, Drafter } from '../../decoding/drafter.js';
import { longestChoice, openCascadeChoice } from '../../decoding/drafters/cascade-choice.js';
import { createLookupMemory } from '../../decoding/drafters/lookup.js';
import { createDraftBudget } from '../../decoding/fallback.js';
import { type DraftPrices, roundSeconds } from '../cost/cost-model.js';
import { proposalsAt, type ReplayRecord } from './records.js';
import type { PredictedTime } from './simulate.js';

/** How a cascade drafts with a plan. */
export interface CascadeDrafting {
  readonly draftLength: number;
  readonly exit: DraftExit;
  readonly costs: ExitCosts;
}

/** Rounds of a cascade, all together. */
export interface CascadeRounds {
  rounds: number;
  /** Draft passes. */
  passes: number;
  proposed: number;
  accepted: number;
}

/** The rounds that decoding the recorded prompts, one after the other, would take, and what they are predicted to take. */
export async function simulateCascade(
  records: readonly ReplayRecord[],
  prices: DraftPrices,
  { costs, ...drafting }: CascadeDrafting,
): Promise<{ readonly rounds: CascadeRounds; readonly time: PredictedTime }> {
  const memory = {
    looked: createLookupMemory(costs, 1),
    budget: createDraftBudget(costs),
    worth: createDraftWorth(costs),
  };
  const longest = longestChoice(drafting.draftLength);
  const draft: Draft = {
    length: 0,
    tokens: new Int32Array(longest),
    confidences: new Float64Array(longest),
    passes: 0,
  };
  const rounds: CascadeRounds = { rounds: 0, passes: 0, proposed: 0, accepted: 0 };
  let seconds = 0;
  for (const record of records) {
    const { text, room } = record;
    const { prompt, tokens, position } = text;
    let at = 0;
    const openDrafts = async (exit: DraftExitState) =>
      recordedDrafts(record, exit, drafting.draftLength, () => at);
    // A reference ends with its end: nothing is drafted behind it.
    const context = { coupling: { propose() {} }, eos: new Set<number>(), openDrafts };
    const drafter = await openCascadeChoice(drafting, costs, memory, context);
    drafter.keep(prompt);
    drafter.keep(tokens.slice(0, 1));
    while (at < room.length) {
      draft.length = 0;
      draft.passes = 0;
      const limit = Math.min(longest, room[at]!);
      if (limit > 0) await drafter.propose(draft, tokens[at]!, position + at, limit);
      let accepted = 0;
      while (accepted < draft.length && draft.tokens[accepted] === tokens[at + accepted + 1])
        accepted++;
      drafter.verified(draft.length, accepted);
      drafter.keep(tokens.slice(at + 1, at + accepted + 2));
      seconds += roundSeconds(prices, draft.passes, draft.length);
      rounds.rounds++;
      rounds.passes += draft.passes;
      rounds.proposed += draft.length;
      rounds.accepted += accepted;
      at += accepted + 1;
    }
    await drafter.close();
  }
  const autoregressiveSeconds = (rounds.rounds + rounds.accepted) * prices.autoregressive;
  const speedup = autoregressiveSeconds / seconds;
  return { rounds, time: { seconds, autoregressiveSeconds, speedup } };
}

/** Draft passes from a record. @param at the place where the round begins. */
function recordedDrafts(
  record: ReplayRecord,
  exit: DraftExitState,
  longest: number,
  at: () => number,
): Drafter {
  return {
    longest,
    keep() {},
    async propose(draft, _last, _position, limit) {
      while (draft.length < limit) {
        const before = draft.length;
        const place = at() + before;
        const { token, confidence } = proposalsAt(record, before);
        draft.tokens[before] = token[place]!;
        draft.confidences[before] = confidence[place]!;
        draft.passes++;
        draft.length++;
        if (exit.shouldStop(draft.length, confidence[place]!)) return;
      }
    },
    verified() {},
    async close() {},
  };
}
