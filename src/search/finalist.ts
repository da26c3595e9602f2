import type { ExitCosts } from '../decoding/cost-exit.js';
import { type DraftRule, decoderExit } from '../decoding/draft-rule.js';
import { createMethod, type DraftingName, type Method, needsMask } from '../decoding/method.js';
import type { Candidate } from '../optimise/candidate.js';
import { type DraftPlan, skipPlan } from '../profile/draft-plan.js';
import { bitsToMask } from '../profile/mask.js';

/** What the last rungs measure: a plan with a rule. */
export interface Finalist {
  readonly plan: DraftPlan;
  readonly draft: DraftRule;
  /** What its rounds cost and how often it is right, where replay told: for that rule, for falling back, and for lookups. */
  readonly costs?: ExitCosts;
}

/** A candidate as the paper has it: its mask, and nothing in the place of what is skipped. */
export function plainFinalist({ mask, draft }: Candidate): Finalist {
  return { plan: skipPlan(bitsToMask(mask)), draft };
}

/** A way of decoding with a finalist, and what a cheaper rung made of it; null where there was none. */
export interface RankedFinalist {
  readonly name: DraftingName;
  readonly finalist: Finalist;
  readonly predictedSpeedup: number | null;
}

/** The one of two of which more was made. */
export function mostPromising(a: RankedFinalist, b: RankedFinalist): RankedFinalist {
  return (b.predictedSpeedup ?? 0) > (a.predictedSpeedup ?? 0) ? b : a;
}

/**
 * A way of decoding with what is known of a finalist, the same that its profile decodes with: its mask's drafts, prompt lookup
 * at its costs, or both.
 */
export function finalistMethod(finalist: Finalist, name: DraftingName = 'skip'): Method {
  const { plan, draft, costs } = finalist;
  if (!needsMask(name)) return createMethod(name, { drafting: null, costs });
  const drafting = {
    plan,
    draftLength: draft.draftLength,
    exit: decoderExit(draft, costs),
    ...(costs && { fallback: costs }),
  };
  return createMethod(name, { drafting, costs });
}
