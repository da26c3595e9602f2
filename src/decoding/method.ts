import type { DraftLease } from '../engine/engine.js';
import type { KvCache } from '../engine/kv-cache.js';
import type { SkipMask } from '../profile/mask.js';
import type { Coupling } from './coupling.js';
import { createDraftExit, type DraftExit } from './draft-exit.js';
import { createLookupDrafter, createSkipDrafter, type Drafter } from './drafter.js';
import { createPromptLookup, DEFAULT_LOOKUP_LENGTH } from './prompt-lookup.js';

/** A way of decoding. All give the same tokens; they differ in time. */
export type Method =
  | { readonly name: 'autoregressive' }
  | {
      readonly name: 'skip';
      readonly mask: SkipMask;
      /** K, the most tokens in one draft. */
      readonly draftLength: number;
      readonly exit: DraftExit;
    }
  | { readonly name: 'lookup' };

export type MethodName = Method['name'];

/** The most tokens that a draft of this method has; 0 for autoregressive decoding. */
export function longestDraft(method: Method): number {
  if (method.name === 'autoregressive') return 0;
  return method.name === 'skip' ? method.draftLength : DEFAULT_LOOKUP_LENGTH;
}

/** The mask that a method drafts with; null for one that runs no draft passes. */
export function draftMask(method: Method): SkipMask | null {
  return method.name === 'skip' ? method.mask : null;
}

/**
 * The drafter of one generation, or null for autoregressive decoding.
 * @param passes the draft passes of {@link draftMask}; null where there is no such mask.
 */
export function createDrafter(
  method: Method,
  passes: DraftLease | null,
  cache: KvCache,
  coupling: Coupling,
  eos: ReadonlySet<number>,
): Drafter | null {
  switch (method.name) {
    case 'autoregressive':
      return null;
    case 'skip': {
      if (!passes) throw new TypeError('the method needs draft passes');
      const exit = createDraftExit(method.exit, method.draftLength);
      return createSkipDrafter(passes, cache, coupling, exit, method.draftLength, eos);
    }
    case 'lookup':
      return createLookupDrafter(createPromptLookup(), coupling, DEFAULT_LOOKUP_LENGTH);
  }
}
