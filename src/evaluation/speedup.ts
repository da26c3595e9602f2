import { type PairedSample, speedupInterval } from '../measurement/bootstrap.js';
import { resamplesFor, type SpeedupEstimate } from '../measurement/ratio-estimate.js';
import type { EvaluationPrompt, EvaluationResult, NamedMethod, Sample } from './run.js';

/** Of the resampling only: the same timings give the same interval. */
const SEED = 0;

/**
 * The speedup of a method over some prompts, each repetition paired with the autoregressive one that ran beside it. The turns
 * of a conversation are one cluster, their times added up, for they go on with the same text, and so are the cells of a grid that
 * have the same prompt; datasets are strata.
 * Generations that ended with their first token have no decode time and are left out, with what they are paired with.
 * @param comparisons how many speedups are corrected together (`holmVerdicts`).
 * @returns null when nothing is left to compare.
 */
export function measuredSpeedup(
  { methods, samples }: EvaluationResult,
  prompts: readonly EvaluationPrompt[],
  method: NamedMethod,
  comparisons = 1,
): SpeedupEstimate | null {
  const chosen = new Set(prompts);
  const baselines = new Map<EvaluationPrompt, Sample[]>();
  for (const sample of samples) {
    if (sample.method !== methods[0] || !chosen.has(sample.prompt)) continue;
    const list = baselines.get(sample.prompt) ?? [];
    baselines.set(sample.prompt, list);
    list[sample.repetition] = sample;
  }
  const clusters = new Map<string, { prompt: EvaluationPrompt; pairs: Map<number, Pair> }>();
  for (const sample of samples) {
    const { prompt, repetition } = sample;
    if (sample.method !== method || !chosen.has(prompt)) continue;
    const baseline = baselines.get(prompt)![repetition]!;
    if (decoded(sample) === 0 || decoded(baseline) === 0) continue;
    const key = JSON.stringify([stratum(prompt), prompt.conversation?.id ?? prompt.id]);
    const cluster = clusters.get(key) ?? { prompt, pairs: new Map<number, Pair>() };
    clusters.set(key, cluster);
    const sum = cluster.pairs.get(repetition) ?? [0, 0, 0, 0];
    cluster.pairs.set(repetition, [
      sum[0] + baseline.statistics.decodeSeconds,
      sum[1] + sample.statistics.decodeSeconds,
      sum[2] + decoded(baseline),
      sum[3] + decoded(sample),
    ]);
  }
  const paired = [...clusters.values()].map(({ prompt, pairs }): PairedSample => {
    const column = (i: number) => [...pairs.values()].map((pair) => pair[i]!);
    return {
      prompt: prompt.id,
      stratum: stratum(prompt),
      baselineSeconds: column(0),
      methodSeconds: column(1),
      tokens: { baseline: column(2), method: column(3) },
    };
  });
  if (paired.length === 0) return null;
  return speedupInterval(paired, { seed: SEED, resamples: resamplesFor(comparisons) });
}

/** Decode seconds of the baseline and of the method, then the tokens of each. */
type Pair = readonly [number, number, number, number];

function stratum({ dataset, cell }: EvaluationPrompt): string {
  return cell?.dataset ?? dataset;
}

/** Tokens that decode time was spent on: the first comes with the prefill. */
function decoded({ statistics }: Sample): number {
  return statistics.newTokens - 1;
}
