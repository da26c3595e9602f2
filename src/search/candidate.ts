import type { ExitCosts } from '../decoding/cost-exit.js';
import type { Random } from '../random.js';

/** When a draft stops before its full length; see `DraftRule`. */
export const DRAFT_EXITS = ['fixed', 'threshold', 'adaptive'] as const;
export type DraftExit = (typeof DRAFT_EXITS)[number];

/** Draft lengths that the search may propose, in tokens, both ends included. */
export const MIN_DRAFT_LENGTH = 2;
export const MAX_DRAFT_LENGTH = 12;

/** Thresholds that the search may propose: 0, 0.05, ..., 0.95. */
export const THRESHOLDS: readonly number[] = Array.from({ length: 20 }, (_, i) => (i * 5) / 100);

/** The draft-length rule of a candidate. */
export interface DraftRule {
  /** `fixed` drafts `draftLength` tokens; `threshold` and `adaptive` also stop below a confidence. */
  readonly exit: DraftExit;
  /** Most tokens drafted in a round, 2 to 12. */
  readonly draftLength: number;
  /** Confidence below which the draft stops (`adaptive`: where the threshold starts). 0 when `exit` is `fixed`. */
  readonly threshold: number;
}

/** What a trial tries: a skip mask and the draft-length rule beside it. */
export interface Candidate {
  /** [2L] bits, 1 = skipped: bit 2l is the attention sublayer of layer l, bit 2l+1 its MLP. */
  readonly mask: Uint8Array;
  readonly draft: DraftRule;
}

/** The rule that weighs costs (decoding/cost-exit.ts). Samplers do not propose it: it follows from what replay shows. */
export interface CostRule {
  readonly exit: 'cost';
  readonly draftLength: number;
  readonly threshold: 0;
  readonly costs: ExitCosts;
}

/** What the last rungs measure: a candidate, or its mask with the cost rule. */
export interface Finalist {
  readonly mask: Uint8Array;
  readonly draft: DraftRule | CostRule;
  /** What its rounds cost and how often it is right, where replay told: for falling back, and for lookups. */
  readonly costs?: ExitCosts;
}

/** What a finalist's rounds cost, where it is known. */
export function finalistCosts({ draft, costs }: Finalist): ExitCosts | undefined {
  return draft.exit === 'cost' ? draft.costs : costs;
}

/** What a sampler may vary. */
export interface SearchSpace {
  /** 2L, the length of every mask. */
  readonly bits: number;
  /** `'search'`: the draft-length rule is searched too. A rule: every candidate has that one (the score optimises it). */
  readonly draft: 'search' | DraftRule;
}

/** One string per candidate: equal exactly when mask and rule are equal. */
export function candidateKey({ mask, draft }: Candidate): string {
  return `${Buffer.from(mask).toString('latin1')}${draft.exit},${draft.draftLength},${draft.threshold}`;
}

/** A rule in its one spelling: a fixed length has no threshold, so two that differ only there are the same rule. */
export function canonicalDraft(draft: DraftRule): DraftRule {
  return draft.exit === 'fixed' && draft.threshold !== 0 ? { ...draft, threshold: 0 } : draft;
}

/** A rule drawn uniformly: exit kind, then length, then threshold. */
export function randomDraft(space: SearchSpace, random: Random): DraftRule {
  if (space.draft !== 'search') return space.draft;
  return canonicalDraft({
    exit: DRAFT_EXITS[random.integer(DRAFT_EXITS.length)],
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
