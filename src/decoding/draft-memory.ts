/**
 * What a method learned in earlier generations of a process: which texts there were to look up in, how lookups went, and
 * whether drafting pays. Time depends on it, tokens never do.
 */
import { createDraftBudget, type DraftBudget } from './fallback.js';
import { createLookupLength, type LookupLength } from './lookup-length.js';
import { createPromptLookup, DEFAULT_MAX_NGRAM, type PromptLookup } from './prompt-lookup.js';

/** One for each method and model; see `methodMemory` and `processMemory`. */
export interface DraftMemory {
  readonly lookup: PromptLookup;
  readonly lengths: LookupLength;
  readonly budget: DraftBudget;
  /** A generation has it: two at once would mix their texts. */
  taken: boolean;
}

/**
 * A memory of nothing.
 * @param verify costs of target passes (round-costs.ts), where they are known.
 * @param minNgram shortest n-gram to look up.
 */
export function createDraftMemory(
  verify: readonly number[] | undefined,
  minNgram: number,
): DraftMemory {
  return {
    lookup: createPromptLookup(DEFAULT_MAX_NGRAM, minNgram),
    lengths: createLookupLength(verify),
    budget: createDraftBudget(),
    taken: false,
  };
}
