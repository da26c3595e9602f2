import {
  type PairedSample,
  type SpeedupEstimate,
  speedupInterval,
} from '../measurement/bootstrap.js';
import type { EvaluationPrompt, EvaluationResult, NamedMethod, Sample } from './run.js';

/** Of the resampling only: the same timings give the same interval. */
const SEED = 0;

/**
 * The speedup of a method over some prompts, each repetition paired with the autoregressive one that ran beside it.
 * Generations that ended with their first token have no decode time and are left out, with what they are paired with.
 * @returns null when nothing is left to compare.
 */
export function measuredSpeedup(
  { methods, samples }: EvaluationResult,
  prompts: readonly EvaluationPrompt[],
  method: NamedMethod,
): SpeedupEstimate | null {
  const byPrompt = (wanted: NamedMethod | undefined) => {
    const map = new Map<EvaluationPrompt, Sample[]>();
    for (const sample of samples) {
      if (sample.method !== wanted) continue;
      const list = map.get(sample.prompt) ?? [];
      map.set(sample.prompt, list);
      list[sample.repetition] = sample;
    }
    return map;
  };
  const plain = byPrompt(methods[0]);
  const own = byPrompt(method);
  const paired = prompts.flatMap((prompt) => {
    const baselines = plain.get(prompt) ?? [];
    const pairs = (own.get(prompt) ?? [])
      .map((sample) => ({ sample, baseline: baselines[sample.repetition]! }))
      .filter(({ sample, baseline }) => decoded(sample) > 0 && decoded(baseline) > 0);
    if (pairs.length === 0) return [];
    const paired: PairedSample = {
      prompt: prompt.id,
      baselineSeconds: pairs.map(({ baseline }) => baseline.statistics.decodeSeconds),
      methodSeconds: pairs.map(({ sample }) => sample.statistics.decodeSeconds),
      tokens: {
        baseline: pairs.map(({ baseline }) => decoded(baseline)),
        method: pairs.map(({ sample }) => decoded(sample)),
      },
    };
    return [paired];
  });
  return paired.length === 0 ? null : speedupInterval(paired, { seed: SEED });
}

/** Tokens that decode time was spent on: the first comes with the prefill. */
function decoded({ statistics }: Sample): number {
  return statistics.newTokens - 1;
}
