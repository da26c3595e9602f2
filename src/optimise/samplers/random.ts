import { Random } from '../../random.js';
import { type Candidate, randomDraft, randomMask, type SearchSpace } from '../candidate.js';
import { checkTold, type Sampler } from '../sampler.js';

/**
 * The baseline: a skip ratio uniform in (0, 1), then each bit 1 with that probability; the draft rule uniform.
 * It learns nothing; what it was told only advances it to the next trial.
 */
export function createRandomSampler(space: SearchSpace, seed: number): Sampler {
  let told = 0;
  let pending = 0;
  return {
    ask(): Candidate {
      const random = new Random(seed, told + pending++);
      const mask = randomMask(space.bits, random.uniform(), random);
      return { mask, draft: randomDraft(space, random) };
    },
    expect() {
      pending++;
    },
    tell(candidate, score, noiseVariance = 0) {
      checkTold(space.bits, candidate, score, noiseVariance);
      told++;
      pending = Math.max(0, pending - 1);
    },
  };
}
