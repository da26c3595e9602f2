import type { ExitCosts } from '../decoding/cost-exit.js';
import { type DraftRule, decoderExit } from '../decoding/draft-rule.js';
import { createMethod, type DraftingName, type Method, needsMask } from '../decoding/method.js';
import { bitsToMask } from '../profile/mask.js';

/** What the last rungs measure: a candidate, or its mask with the rule `cost`. */
export interface Finalist {
  readonly mask: Uint8Array;
  readonly draft: DraftRule;
  /** What its rounds cost and how often it is right, where replay told: for that rule, for falling back, and for lookups. */
  readonly costs?: ExitCosts;
}

/** A finalist and what a cheaper rung made of it; null where there was none. */
export interface RankedFinalist {
  readonly finalist: Finalist;
  readonly predictedSpeedup: number | null;
}

/**
 * A way of decoding with what is known of a finalist, the same that its profile decodes with: its mask's drafts, prompt lookup
 * at its costs, or both.
 */
export function finalistMethod(finalist: Finalist, name: DraftingName = 'skip'): Method {
  const { mask, draft, costs } = finalist;
  if (!needsMask(name)) return createMethod(name, { drafting: null, costs });
  const drafting = {
    mask: bitsToMask(mask),
    draftLength: draft.draftLength,
    exit: decoderExit(draft, costs),
    ...(costs && { fallback: costs }),
  };
  return createMethod(name, { drafting, costs });
}
