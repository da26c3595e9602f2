import type { SearchedRule, SearchSpace } from '../candidate.js';

/**
 * Rules that masks take in turn which come without one, so that a search learns early whether to draft on regardless or to
 * stop when in doubt.
 */
const rules: readonly SearchedRule[] = [
  { exit: 'threshold', draftLength: 6, threshold: 0.6 },
  { exit: 'fixed', draftLength: 6, threshold: 0 },
  { exit: 'threshold', draftLength: 8, threshold: 0.3 },
];

/** The rule of a search's mask number `index` that came without one: the space's, where it has one. */
export function startingRule({ draft }: Pick<SearchSpace, 'draft'>, index: number): SearchedRule {
  return draft === 'search' ? rules[index % rules.length]! : draft;
}
