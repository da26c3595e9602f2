import type { Random } from '../random.js';
import { strataOf } from './bootstrap.js';
import { ratioEstimate, type SpeedupEstimate } from './ratio-estimate.js';

/*
 * Confidence intervals for the ratio of speeds that were measured on the same prompts in different runs.
 *
 * symbol   shape      meaning
 * n        1          prompts, the clusters, in strata as in bootstrap.ts
 * s, t     [n][J]     seconds and tokens of prompt i in run j, the means of its repetitions there
 * v_j      1          speed = (sum t over i) / (sum s over i)
 * S        1          product of v_j / v_k over the runs j above, each with the run k below it
 *
 * Runs apart have no pairs of repetitions, so a prompt is drawn with all of its own: their spread is in the means already.
 */

/** What a prompt took in one run. */
export interface TimedRun {
  readonly seconds: number;
  readonly tokens: number;
}

/** A prompt in all runs that a ratio is made of, those of every prompt in the same order. */
export interface RatioCluster {
  readonly prompt: string;
  /** The dataset that it stands for, where there are several. Default: one for all. */
  readonly stratum?: string;
  /** Runs whose speeds multiply the ratio. */
  readonly above: readonly TimedRun[];
  /** Those whose speeds divide it, one for each above; two runs that are the same make exactly 1. */
  readonly below: readonly TimedRun[];
}

/**
 * The ratio of speeds over all prompts and its 95% interval by a bootstrap over prompts within their strata: of two speeds, or, with
 * two above and two below, of two speedups.
 * @throws RangeError when there is no prompt, or one whose runs are not those of the first or took nothing.
 */
export function speedRatio(
  clusters: readonly RatioCluster[],
  options: { seed: number; resamples?: number },
): SpeedupEstimate {
  const [one] = clusters;
  if (one === undefined) throw new RangeError('a ratio of speeds needs at least one prompt');
  const half = 2 * one.above.length;
  const sums = clusters.map((cluster) => {
    const runs = [cluster.above, cluster.below];
    const row = Float64Array.from(runs.flat().flatMap(({ seconds, tokens }) => [seconds, tokens]));
    if (runs.some(({ length }) => 2 * length !== half) || !row.every((x) => x > 0))
      throw new RangeError(
        `prompt ${cluster.prompt}: it must have the runs of the others, each above 0`,
      );
    return row;
  });
  const strata = strataOf(clusters);
  const total = new Float64Array(2 * half);
  const speed = (at: number) => total[at + 1] / total[at];
  const ratioOf = (rows: Iterable<Float64Array>): number => {
    total.fill(0);
    for (const row of rows) for (let i = 0; i < total.length; i++) total[i] += row[i];
    let ratio = 1;
    for (let i = 0; i < half; i += 2) ratio *= speed(i) / speed(half + i);
    return ratio;
  };
  return ratioEstimate(
    ratioOf(sums),
    (random) => ratioOf(resample(sums, strata, random)),
    { clusters: clusters.length, strata: strata.length },
    options,
  );
}

function* resample<T>(
  rows: readonly T[],
  strata: readonly (readonly number[])[],
  random: Random,
): Generator<T> {
  for (const members of strata)
    for (let i = 0; i < members.length; i++) yield rows[members[random.integer(members.length)]];
}
