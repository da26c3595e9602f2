import { planGraph } from '../../engine/draft-graph.js';
import type { Drafter } from '../drafter.js';
import { createDraftBudget, type DraftBudget } from '../fallback.js';
import { DEFAULT_LOOKUP_LENGTH } from '../prompt-lookup.js';
import type { DrafterKind, SkipDrafting } from './kind.js';
import { createLookupDrafter, createLookupMemory, type LookupMemory } from './lookup.js';
import { draftingOf, openSkipDrafter } from './skip.js';

/** Prompt lookup, and drafts with the plan where it finds nothing. */
export type CascadeMethod = { readonly name: 'cascade' } & SkipDrafting;

/** What its two drafters learned. */
export interface CascadeMemory {
  readonly looked: LookupMemory;
  readonly budget: DraftBudget;
}

/**
 * Shortest n-gram that a cascade takes from prompt lookup. After one token alone, lookup is right less often than a draft
 * pass, which it would displace.
 */
const MIN_NGRAM = 2;

/** Prompt lookup first, then self-speculation. */
export const cascade: DrafterKind<CascadeMethod, CascadeMemory> = {
  name: 'cascade',
  label: 'The cascade of prompt lookup and self-speculation',
  needsMask: true,
  inProfiles: true,
  create: (settings) => ({ name: 'cascade', ...draftingOf(settings) }),
  longest: ({ draftLength }) => draftLength,
  draftGraph: ({ plan }, model) => planGraph(plan, model),
  createMemory: ({ fallback }) => ({
    looked: createLookupMemory(fallback, MIN_NGRAM),
    budget: createDraftBudget(fallback),
  }),
  async open(method, { looked, budget }, context) {
    const skips = await openSkipDrafter(method, budget, context);
    const length = Math.min(DEFAULT_LOOKUP_LENGTH, method.draftLength);
    return createCascade(createLookupDrafter(looked, context.coupling, length), skips);
  },
};

/**
 * A cascade: the second drafter is asked where the first proposes nothing. What became of a draft is told to the one that
 * made it, so that neither learns from the other's.
 */
export function createCascade(first: Drafter, second: Drafter): Drafter {
  let asked = first;
  return {
    longest: Math.max(first.longest, second.longest),
    keep(tokens) {
      first.keep(tokens);
      second.keep(tokens);
    },
    async propose(draft, last, position, limit) {
      for (asked of [first, second]) {
        await asked.propose(draft, last, position, Math.min(limit, asked.longest));
        if (draft.length > 0) return;
      }
    },
    verified: (drafted, accepted) => asked.verified(drafted, accepted),
    async close() {
      await first.close();
      await second.close();
    },
  };
}
