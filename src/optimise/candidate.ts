import type { DraftExitName, DraftRule } from '../decoding/draft-rule.js';
import type { Random } from '../random.js';

/** The exits that samplers propose. The rule `cost` follows from what replay shows of a mask. */
export const SEARCHED_EXITS = [
  'fixed',
  'threshold',
  'adaptive',
] as const satisfies readonly DraftExitName[];

/** A rule that samplers propose: 2 to 12 tokens, a threshold of {@link THRESHOLDS}. */
export type SearchedRule = DraftRule<(typeof SEARCHED_EXITS)[number]>;

/** Draft lengths that the search may propose, in tokens, both ends included. */
export const MIN_DRAFT_LENGTH = 2;
export const MAX_DRAFT_LENGTH = 12;

/** Thresholds that the search may propose: 0, 0.05, ..., 0.95. */
export const THRESHOLDS: readonly number[] = Array.from({ length: 20 }, (_, i) => (i * 5) / 100);

/** What a trial tries: a skip mask and the draft-length rule beside it. */
export interface Candidate {
  /** [2L] bits, 1 = skipped: bit 2l is the attention sublayer of layer l, bit 2l+1 its MLP. */
  readonly mask: Uint8Array;
  readonly draft: SearchedRule;
}

/** What a sampler may vary. */
export interface SearchSpace {
  /** 2L, the length of every mask. */
  readonly bits: number;
  /** `'search'`: the draft-length rule is searched too. A rule: every candidate has that one (the score optimises it). */
  readonly draft: 'search' | SearchedRule;
}

/** One string per candidate: equal exactly when mask and rule are equal. */
export function candidateKey({ mask, draft }: Candidate): string {
  return `${Buffer.from(mask).toString('latin1')}${draft.exit},${draft.draftLength},${draft.threshold}`;
}

/** A rule in its one spelling: a fixed length has no threshold, so two that differ only there are the same rule. */
export function canonicalDraft(draft: SearchedRule): SearchedRule {
  return draft.exit === 'fixed' && draft.threshold !== 0 ? { ...draft, threshold: 0 } : draft;
}

/** A rule drawn uniformly: exit kind, then length, then threshold. */
export function randomDraft(space: SearchSpace, random: Random): SearchedRule {
  if (space.draft !== 'search') return space.draft;
  return canonicalDraft({
    exit: SEARCHED_EXITS[random.integer(SEARCHED_EXITS.length)],
    draftLength: MIN_DRAFT_LENGTH + random.integer(MAX_DRAFT_LENGTH - MIN_DRAFT_LENGTH + 1),
    threshold: THRESHOLDS[random.integer(THRESHOLDS.length)],
  });
}

/** A mask whose bits are each 1 with probability `ratio`, never the empty mask (it drafts with the target itself). */
export function randomMask(bits: number, ratio: number, random: Random): Uint8Array {
  const mask = Uint8Array.from({ length: bits }, () => (random.uniform() < ratio ? 1 : 0));
  if (!mask.includes(1)) mask[random.integer(bits)] = 1;
  return mask;
}
