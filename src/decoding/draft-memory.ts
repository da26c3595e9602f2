import type { DraftContext, Drafter } from './drafter.js';

/**
 * What a method learned in earlier generations of a process: which texts there were to look up in, how lookups went, and
 * whether drafting pays. Time depends on it, tokens never do. One for each method and model; see `methodMemory` and
 * `processMemory`.
 */
export interface DraftMemory {
  /** A generation has it: two at once would mix their texts. */
  taken: boolean;
  /**
   * The method's drafter for one generation, which goes on from what was learned; null where the method drafts nothing.
   * @throws InputError for a draft length or draft exit out of range.
   */
  open(context: DraftContext): Promise<Drafter | null>;
}
