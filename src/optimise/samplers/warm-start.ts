import type { Candidate, SearchSpace } from '../candidate.js';
import { layerSpans } from './spans.js';
import { startingRule } from './starting-rule.js';

/** Planned masks that a search begins with. */
const MOST = 4;
/** Where in the list they lie: drafts that skip less save too little, those that skip more are hardly ever right. */
const FROM = 0.4;
const TO = 0.95;

/**
 * Masks to begin a search with: those of the skip program (search/dp/plan.ts) for budgets from small to large, and spans of layers.
 * @param plans masks from few skipped sublayers to many, none empty.
 */
export function warmStart(plans: readonly Uint8Array[], space: SearchSpace): Candidate[] {
  const last = plans.length - 1;
  const places = Array.from({ length: MOST }, (_, i) =>
    Math.round(last * (FROM + ((TO - FROM) * i) / (MOST - 1))),
  );
  const planned = [...new Set(places)].map((place) => plans[place]!);
  return [...planned, ...layerSpans(space.bits)].map((mask, i) => ({
    mask,
    draft: startingRule(space, i),
  }));
}
