import type { FittingProfile } from '../../src/decoding/profile-method.js';
import {
  type Bridge,
  type DraftPlan,
  skipPlan,
  skippedRuns,
} from '../../src/profile/draft-plan.js';
import { maskToBits, type SkipMask } from '../../src/profile/mask.js';
import type { Profile } from '../../src/profile/schema.js';
import { normals } from './random.js';

/** A profile without draft weights, as it is read for a model that it fits. */
export function fittingOf(profile: Profile): FittingProfile {
  const mask = { attention: profile.skip_attention, mlp: profile.skip_mlp };
  return { profile, plan: skipPlan(mask), warnings: [] };
}

/**
 * A bridge of random weights over every run of skipped sublayers, each with as much from a memory where that is asked for.
 * @param gain deviation of what a bridge adds to each element of the hidden state, apart from its bias.
 */
export function randomBridges(
  mask: SkipMask,
  { layers, hiddenSize }: { readonly layers: number; readonly hiddenSize: number },
  seed: number,
  gain = 1,
  hasMemory = false,
): Bridge[] {
  const map = (seed: number) => normals(hiddenSize ** 2, seed, gain / Math.sqrt(hiddenSize));
  return skippedRuns(maskToBits(mask, layers)).map((run) => ({
    ...run,
    weight: map(1000 * seed + run.from),
    ...(hasMemory && { memory: map(1000 * seed + 250 + run.from) }),
    bias: normals(hiddenSize, 1000 * seed + 500 + run.from, gain / 10),
  }));
}

/** A plan with {@link randomBridges}, the first with a memory, and a head over every `every`-th word. */
export function randomPlan(
  mask: SkipMask,
  config: { readonly layers: number; readonly hiddenSize: number; readonly vocabSize: number },
  seed: number,
  { gain = 1, every = 3 } = {},
): DraftPlan {
  const words = Int32Array.from(
    { length: Math.ceil(config.vocabSize / every) },
    (_, i) => every * i,
  );
  const bridges = randomBridges(mask, config, seed, gain, true);
  return {
    ...{ mask, words },
    bridges: bridges.map((bridge, i) => (i === 0 ? bridge : withoutMemory(bridge))),
  };
}

/** The same maps of the state before the run. */
export function withoutMemory({ memory, ...bridge }: Bridge): Bridge {
  return bridge;
}
