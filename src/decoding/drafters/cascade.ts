import { planGraph } from '../../engine/draft-graph.js';
import type { DraftExitState } from '../draft-exit.js';
import { createDraftWorth, type DraftWorth } from '../draft-worth.js';
import type { Drafter } from '../drafter.js';
import { createDraftBudget } from '../fallback.js';
import { DEFAULT_LOOKUP_LENGTH } from '../prompt-lookup.js';
import { type ChoiceMemory, longestChoice, openCascadeChoice } from './cascade-choice.js';
import type { DrafterKind, SkipDrafting } from './kind.js';
import { createLookupDrafter, createLookupMemory } from './lookup.js';
import { draftingOf, openGraphDrafter, openSkipDrafter } from './skip.js';

/** Prompt lookup, and drafts with the plan: where it finds nothing, or with costs where they promise more. */
export type CascadeMethod = { readonly name: 'cascade' } & SkipDrafting;

/** What it learned; `worth` is null where costs are not known. */
type CascadeMemory = Omit<ChoiceMemory, 'worth'> & { readonly worth: DraftWorth | null };

/**
 * Shortest n-gram that a cascade looks up where costs are not known. After one token alone, lookup is right less often than a
 * draft pass, which it would displace.
 */
const MIN_NGRAM = 2;

/** Prompt lookup and self-speculation; each round has what is expected to gain more, where costs are known. */
export const cascade: DrafterKind<CascadeMethod, CascadeMemory> = {
  name: 'cascade',
  label: 'The cascade of prompt lookup and self-speculation',
  needsMask: true,
  inProfiles: true,
  create: (settings) => ({ name: 'cascade', ...draftingOf(settings) }),
  longest: ({ draftLength, fallback }) => (fallback ? longestChoice(draftLength) : draftLength),
  draftGraph: ({ plan }, model) => planGraph(plan, model),
  createMemory: ({ fallback }) => ({
    looked: createLookupMemory(fallback, fallback ? 1 : MIN_NGRAM),
    budget: createDraftBudget(fallback),
    worth: fallback ? createDraftWorth(fallback) : null,
  }),
  async open(method, { looked, budget, worth }, context) {
    const { plan, draftLength, fallback } = method;
    if (fallback && worth) {
      const graph = planGraph(plan, context.engine.model);
      const openDrafts = async (exit: DraftExitState) =>
        context.recorded ?? openGraphDrafter(graph, draftLength, exit, context);
      const memory = { looked, budget, worth };
      return openCascadeChoice(method, fallback, memory, { ...context, openDrafts });
    }
    const skips = await openSkipDrafter(method, budget, context);
    const length = Math.min(DEFAULT_LOOKUP_LENGTH, draftLength);
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
