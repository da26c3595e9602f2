import type { Drafter } from './drafter.js';

/**
 * A cascade: the second drafter is asked where the first proposes nothing. What became of a draft is told to the one that
 * made it, so that neither learns from the other's.
 */
export function createCascade(first: Drafter, second: Drafter): Drafter {
  let asked = first;
  return {
    longest: Math.max(first.longest, second.longest),
    keep(tokens) {
      first.keep(tokens);
      second.keep(tokens);
    },
    async propose(draft, last, position, limit) {
      for (asked of [first, second]) {
        await asked.propose(draft, last, position, Math.min(limit, asked.longest));
        if (draft.length > 0) return;
      }
    },
    verified: (drafted, accepted) => asked.verified(drafted, accepted),
  };
}
