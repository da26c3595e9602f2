import type { Candidate, SearchSpace } from '../candidate.js';
import type { Sampler } from '../sampler.js';
import { startingRule } from './starting-rule.js';
import { ToldTrials } from './told-trials.js';

/**
 * Greedy selection along the leave-one-out ranking: each trial adds to the best mask so far the sublayer that matters next to
 * least by itself, and keeps it if the score rises. When the ranking is through, the best mask is varied, a flipped bit at a
 * time (two bits, when all single ones were tried), from whichever mask is best by then.
 * @param agreement of every sublayer, [bits].
 */
export function createGreedySampler(
  space: SearchSpace,
  seed: number,
  agreement: Float64Array,
): Sampler {
  const trials = new ToldTrials(space, seed);
  const order = ranking(agreement);

  const next = (): Candidate => {
    for (const bit of order.slice(trials.trial)) {
      const mask = trials.best?.mask.slice() ?? new Uint8Array(space.bits);
      mask[bit] = 1;
      const candidate = { mask, draft: trials.best?.draft ?? startingRule(space, 0) };
      if (trials.isOpen(candidate)) return candidate;
    }
    return trials.variation();
  };

  return {
    ask: () => trials.proposed(next()),
    expect: (candidate) => void trials.proposed(candidate),
    tell: (candidate, score, noiseVariance = 0) => trials.tell(candidate, score, noiseVariance),
  };
}

/** The sublayers (bits of a mask) from the one that matters least by itself to the one that matters most. */
function ranking(agreement: Float64Array): number[] {
  return Array.from(agreement.keys()).sort((a, b) => agreement[b]! - agreement[a]! || a - b);
}
