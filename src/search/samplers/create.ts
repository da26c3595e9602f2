import type { Candidate, SearchSpace } from '../candidate.js';
import type { Sampler } from '../sampler.js';
import { warmStart } from '../sweep.js';
import { createBoSampler } from './bo.js';
import { createRandomSampler } from './random.js';

export const samplerNames = ['bo', 'random'] as const;
export type SamplerName = (typeof samplerNames)[number];

/** What some samplers begin from; each is worked out when it is asked for. */
export interface SamplerSources {
  /** Leave-one-out agreement of every sublayer (sweep.ts), [2L]. */
  readonly agreement: () => Promise<Float64Array>;
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
    case 'bo': {
      const sampler = createBoSampler(space, seed, warmStart(await sources.agreement(), space));
      return { sampler, predict: (candidate) => sampler.posterior(candidate)?.mean ?? 0 };
    }
  }
}
