import type { Candidate, SearchSpace } from '../candidate.js';
import type { Sampler, SamplerName } from '../sampler.js';
import { createBoSampler } from './bo.js';
import { createDpSampler } from './dp.js';
import { createGreedySampler } from './greedy.js';
import { createRandomSampler } from './random.js';
import { createRelaxedGpSampler } from './relaxed-gp.js';
import { createSwiftSampler } from './swift.js';
import { warmStart } from './warm-start.js';

/** What some samplers begin from; each is worked out when it is asked for. */
export interface SamplerSources {
  /** Leave-one-out agreement of every sublayer, [2L]. */
  readonly agreement: () => Promise<Float64Array>;
  /** Masks of the dynamic program over hidden states, one for each budget. */
  readonly plan: () => Promise<readonly Uint8Array[]>;
}

/** A sampler, and what it expects of a candidate's score where it has a model of it. */
export interface NamedSampler {
  readonly sampler: Sampler;
  readonly predict?: (candidate: Candidate) => number;
}

/** The sampler of a name. */
export async function createSampler(
  name: SamplerName,
  space: SearchSpace,
  seed: number,
  sources: SamplerSources,
): Promise<NamedSampler> {
  switch (name) {
    case 'random':
      return { sampler: createRandomSampler(space, seed) };
    case 'relaxed-gp':
      return { sampler: createRelaxedGpSampler(space, seed) };
    case 'swift':
      return { sampler: createSwiftSampler(space, seed) };
    case 'greedy':
      return { sampler: createGreedySampler(space, seed, await sources.agreement()) };
    case 'dp':
      return { sampler: createDpSampler(space, seed, await sources.plan()) };
    case 'bo': {
      const sampler = createBoSampler(space, seed, warmStart(await sources.plan(), space));
      return { sampler, predict: (candidate) => sampler.posterior(candidate)?.mean ?? 0 };
    }
  }
}
