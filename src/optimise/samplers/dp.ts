import type { SearchSpace } from '../candidate.js';
import type { Sampler } from '../sampler.js';
import { startingRule } from './starting-rule.js';
import { ToldTrials } from './told-trials.js';

/**
 * The masks of a dynamic program over hidden states (search/dp/skip-program.ts; CLaSp, KnapSpec), one for each budget, from few
 * skipped sublayers to many; then variations of the best one, a flipped bit at a time.
 * @param masks one or more, the sparsest skipping first, none empty.
 */
export function createDpSampler(
  space: SearchSpace,
  seed: number,
  masks: readonly Uint8Array[],
): Sampler {
  const trials = new ToldTrials(space, seed);
  const planned = masks.map((mask, i) => ({ mask, draft: startingRule(space, i) }));
  return {
    ask() {
      const candidate = planned.slice(trials.trial).find((open) => trials.isOpen(open));
      return trials.proposed(candidate ?? trials.variation());
    },
    expect: (candidate) => void trials.proposed(candidate),
    tell: (candidate, score, noiseVariance = 0) => trials.tell(candidate, score, noiseVariance),
  };
}
