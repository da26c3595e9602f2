import type { Method } from '../../src/decoding/method.js';
import type { SamplingOptions } from '../../src/decoding/sampling/options.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { uniforms } from './random.js';

/** A seeded random way of decoding speculatively, for tests of losslessness. */
export interface Combination {
  readonly method: Method;
  readonly sampling: SamplingOptions;
  readonly prompt: number[];
  readonly newTokens: number;
}

/** Everything that may matter, drawn anew: prompt, length, mask, draft length, exit rule, greedy or Gumbel sampling. */
export function randomCombination(
  seed: number,
  model: { layers: number; vocabSize: number; contextLength: number },
): Combination {
  const random = uniforms(seed);
  const below = (n: number) => Math.floor(random() * n);
  const promptLength = 1 + below(Math.min(150, model.contextLength - 40));
  const ratio = random();
  const some = () =>
    Array.from({ length: model.layers }, (_, l) => l).filter(() => random() < ratio);
  const exits = [
    { exit: 'fixed' } as const,
    { exit: 'threshold', threshold: random() } as const,
    { exit: 'adaptive', threshold: random() } as const,
  ];
  const method: Method =
    random() < 0.1
      ? { name: 'lookup' }
      : {
          name: 'skip',
          plan: skipPlan({ attention: some(), mlp: some() }),
          draftLength: 1 + below(12),
          exit: exits[below(exits.length)]!,
        };
  const greedy = random() < 0.4;
  return {
    method,
    sampling: {
      temperature: greedy ? 0 : 0.3 + random(),
      topK: random() < 0.3 ? 1 + below(50) : 0,
      topP: random() < 0.3 ? 0.5 + 0.5 * random() : 1,
      minP: random() < 0.2 ? 0.1 * random() : 0,
      seed: below(2 ** 31),
    },
    // Half of the prompts are short loops, so that drafts, prompt lookup included, are often right.
    prompt: Array.from({ length: promptLength }, () => below(model.vocabSize)).map(
      (token, i, all) => (random() < 0.5 && i >= 5 ? all[i - 5]! : token),
    ),
    newTokens: 20 + below(60),
  };
}
