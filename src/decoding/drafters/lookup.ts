import type { Coupling } from '../coupling.js';
import type { Draft, Drafter } from '../drafter.js';
import { createLookupLength, type LookupLength } from '../lookup-length.js';
import {
  createPromptLookup,
  DEFAULT_LOOKUP_LENGTH,
  DEFAULT_MAX_NGRAM,
  type PromptLookup,
} from '../prompt-lookup.js';
import type { RoundCosts } from '../round-costs.js';
import type { DrafterKind } from './kind.js';

/** Drafts looked up in the text. */
export interface LookupMethod {
  readonly name: 'lookup';
  /** The machine's, where they are known (round-costs.ts); they decide how long a lookup's draft is. */
  readonly costs?: RoundCosts;
}

/** The texts that there were to look up in, and how lookups went. */
export interface LookupMemory {
  readonly lookup: PromptLookup;
  readonly lengths: LookupLength;
}

/** Prompt lookup (Saxena 2023): what followed the latest earlier occurrence of the last tokens, as many as pay. */
export const lookup: DrafterKind<LookupMethod, LookupMemory> = {
  name: 'lookup',
  label: 'Prompt lookup',
  needsMask: false,
  inProfiles: true,
  create: ({ costs }) => ({ name: 'lookup', ...(costs && { costs }) }),
  longest: () => DEFAULT_LOOKUP_LENGTH,
  draftGraph: () => null,
  createMemory: ({ costs }) => createLookupMemory(costs, 1),
  open: async (_method, memory, { coupling }) =>
    createLookupDrafter(memory, coupling, DEFAULT_LOOKUP_LENGTH),
};

/**
 * A memory of nothing.
 * @param minNgram shortest n-gram to look up.
 */
export function createLookupMemory(costs: RoundCosts | undefined, minNgram: number): LookupMemory {
  return {
    lookup: createPromptLookup(DEFAULT_MAX_NGRAM, minNgram),
    lengths: createLookupLength(costs?.verify, costs?.draft),
  };
}

/** Adds up to `count` of the tokens from a place on to a draft. */
export function addLookedUp(
  draft: Draft,
  lookup: PromptLookup,
  place: number,
  count: number,
  coupling: Pick<Coupling, 'propose'>,
): void {
  const from = draft.length;
  draft.length += lookup.propose(place, count, draft.tokens.subarray(from));
  for (let i = from; i < draft.length; i++) {
    draft.confidences[i] = 1;
    coupling.propose(draft.tokens[i]!, i);
  }
}

/** The drafter of one generation, whose text the memory keeps. */
export function createLookupDrafter(
  { lookup, lengths }: LookupMemory,
  coupling: Coupling,
  draftLength: number,
): Drafter {
  lookup.begin();
  return {
    longest: draftLength,
    keep: (tokens) => lookup.append(tokens),
    async propose(draft, _last, _position, limit) {
      const place = lookup.find();
      if (place === 0) return;
      const match = { matched: lookup.matched(place), isEarlier: lookup.isEarlier(place) };
      const { count } = lengths.choose(match, Math.min(limit, draftLength));
      addLookedUp(draft, lookup, place, count, coupling);
    },
    verified: (drafted, accepted) => lengths.verified(drafted, accepted),
    close: async () => {},
  };
}
