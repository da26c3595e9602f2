import { type DraftGraph, skipGraph } from '../engine/draft-graph.js';
import type { DraftLease } from '../engine/engine.js';
import type { KvCache } from '../engine/kv-cache.js';
import type { SkipMask } from '../profile/mask.js';
import { createCascade } from './cascade.js';
import type { Coupling } from './coupling.js';
import { createDraftExit, type DraftExit } from './draft-exit.js';
import { createDraftMemory, type DraftMemory } from './draft-memory.js';
import { createLookupDrafter, createSkipDrafter, type Drafter } from './drafter.js';
import { createFallback } from './fallback.js';
import { DEFAULT_LOOKUP_LENGTH } from './prompt-lookup.js';
import type { RoundCosts } from './round-costs.js';

/**
 * Shortest n-gram that a cascade takes from prompt lookup. After one token alone, lookup is right less often than a draft
 * pass, which it would displace.
 */
const CASCADE_MIN_NGRAM = 2;

/** How to draft with a mask. */
export interface SkipDrafting {
  readonly mask: SkipMask;
  /** K, the most tokens in one draft. */
  readonly draftLength: number;
  /** When a draft with the mask ends before that. */
  readonly exit: DraftExit;
  /** Drafts with the mask pause while these costs say that they lose (fallback.ts). Default: they never pause. */
  readonly fallback?: RoundCosts;
}

/** A way of decoding. All give the same tokens; they differ in time. */
export type Method =
  | { readonly name: 'autoregressive' }
  | ({ readonly name: 'skip' } & SkipDrafting)
  /** Costs are the machine's, where they are known (round-costs.ts); they decide how long a lookup's draft is. */
  | { readonly name: 'lookup'; readonly costs?: RoundCosts }
  /** Prompt lookup, and drafts with the mask where it finds nothing. */
  | ({ readonly name: 'cascade' } & SkipDrafting);

export type MethodName = Method['name'];
/** The methods that draft. */
export type DraftingName = Exclude<MethodName, 'autoregressive'>;

/** The most tokens that a draft of this method has; 0 for autoregressive decoding. */
export function longestDraft(method: Method): number {
  if (method.name === 'autoregressive') return 0;
  return method.name === 'lookup' ? DEFAULT_LOOKUP_LENGTH : method.draftLength;
}

/** The draft that a method's draft passes are of; null for one that runs none. */
export function draftGraph(method: Method): DraftGraph | null {
  return 'mask' in method ? skipGraph(method.mask) : null;
}

/** A memory of nothing yet, for {@link createDrafter}. */
export function methodMemory(method: Method): DraftMemory {
  const minNgram = method.name === 'cascade' ? CASCADE_MIN_NGRAM : 1;
  return createDraftMemory(costsOf(method)?.verify, minNgram);
}

/**
 * The drafter of one generation, or null for autoregressive decoding.
 * @param memory the method's own ({@link methodMemory}), new or from earlier generations.
 * @param passes the draft passes of {@link draftGraph}; null where there is none.
 * @throws InputError for a draft length or draft exit out of range.
 */
export function createDrafter(
  method: Method,
  { lookup, lengths, budget }: DraftMemory,
  passes: DraftLease | null,
  cache: KvCache,
  coupling: Coupling,
  eos: ReadonlySet<number>,
): Drafter | null {
  if (method.name === 'autoregressive') return null;
  if (method.name === 'lookup')
    return createLookupDrafter(lookup, lengths, coupling, DEFAULT_LOOKUP_LENGTH);
  if (!passes) throw new TypeError('the method needs draft passes');
  const { draftLength, fallback } = method;
  const exit = createDraftExit(method.exit, draftLength);
  const always = createSkipDrafter(passes, cache, coupling, exit, draftLength, eos);
  const skip = fallback ? createFallback(always, fallback, budget) : always;
  if (method.name === 'skip') return skip;
  const length = Math.min(DEFAULT_LOOKUP_LENGTH, draftLength);
  return createCascade(createLookupDrafter(lookup, lengths, coupling, length), skip);
}

function costsOf(method: Method): RoundCosts | undefined {
  if (method.name === 'autoregressive') return undefined;
  return method.name === 'lookup' ? method.costs : method.fallback;
}
