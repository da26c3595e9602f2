import type { Random } from '../random.js';
import { ratioEstimate, type SpeedupEstimate } from './ratio-estimate.js';

/*
 * Confidence intervals for the speedup of one decoding method over the autoregressive baseline.
 *
 * symbol   shape      meaning
 * n        1          prompts, the clusters: prompts differ far more than repetitions of one prompt do
 * H        1          strata: datasets, which are what they are, while their prompts stand for others
 * R_i      [n]        repetitions of prompt i, each a baseline run and a method run timed beside each other
 * b, m     [n][R_i]   decode seconds of the baseline and of the method
 * B        1          resamples
 * S        1          speedup = (sum b / tokens of the baseline) / (sum m / tokens of the method)
 * S'       [B]        S of each resample: in each stratum as many prompts as it has, with replacement, then R_i pairs with
 *                     replacement in each
 * f        1          how far a bootstrap over n clusters falls short: sqrt(n / (n-H)) t(n-H) / z, at 97.5%
 *
 * Every S' is moved to S (S'/S)^f, an expanded percentile interval, and the p-value of S = 1 counts S' on the far side of 1, so that
 * the interval leaves out 1 exactly when p <= alpha. Why, and from where: docs/intervals.md.
 */

/** One prompt decoded by the baseline and by a method. Element r of every list belongs to repetition r. */
export interface PairedSample {
  /** The prompt's id. */
  readonly prompt: string;
  /** The dataset that it stands for, where there are several. Default: one for all. */
  readonly stratum?: string;
  /** Decode seconds of the baseline, prefill excluded. */
  readonly baselineSeconds: readonly number[];
  /** Decode seconds of the method, prefill excluded. */
  readonly methodSeconds: readonly number[];
  /** New tokens where the two outputs may differ in length (maximal coupling). Default: equal, so they cancel. */
  readonly tokens?: { readonly baseline: readonly number[]; readonly method: readonly number[] };
}

/**
 * The speedup over all prompts and its 95% interval by a bootstrap with prompts as clusters, within their strata, and
 * repetitions nested.
 * @param options.seed seeds the resampling: the same samples and seed give the same interval.
 * @param options.resamples default 2000, which keeps the sampling error of the interval's ends near 1% of its width
 *   and leaves p-values fine enough to correct 50 comparisons; see `resamplesFor`.
 * @returns with a single prompt, the interval of its repetitions and no verdict: one prompt says nothing of others.
 * @throws RangeError when there is no sample, or one whose lists are empty, uneven or not positive.
 */
export function speedupInterval(
  samples: readonly PairedSample[],
  options: { readonly seed: number; readonly resamples?: number },
): SpeedupEstimate {
  const pairs = flatten(samples);
  const strata = strataOf(samples);
  return ratioEstimate(
    speedupOf(pairs),
    (random) => resampledSpeedup(pairs, strata, random),
    { clusters: samples.length, strata: strata.length },
    options,
  );
}

/** All repetitions of all prompts in flat arrays; those of prompt i are [start[i], start[i + 1]). */
interface FlatPairs {
  readonly start: Int32Array;
  readonly baseline: Float64Array;
  readonly method: Float64Array;
  readonly baselineTokens: Float64Array;
  readonly methodTokens: Float64Array;
}

function flatten(samples: readonly PairedSample[]): FlatPairs {
  if (samples.length === 0) throw new RangeError('a speedup needs at least one prompt');
  const start = new Int32Array(samples.length + 1);
  samples.forEach((sample, i) => {
    const ones = sample.baselineSeconds.map(() => 1);
    const { baseline, method } = sample.tokens ?? { baseline: ones, method: ones };
    for (const list of [sample.baselineSeconds, sample.methodSeconds, baseline, method]) {
      if (list.length === 0 || list.length !== ones.length || !list.every((x) => x > 0)) {
        throw new RangeError(`prompt ${sample.prompt}: repetitions must be paired, each above 0`);
      }
    }
    start[i + 1] = start[i] + ones.length;
  });
  const flat = (list: (sample: PairedSample) => readonly number[] | undefined) =>
    Float64Array.from(samples.flatMap((s) => list(s) ?? s.baselineSeconds.map(() => 1)));
  return {
    start,
    baseline: flat((s) => s.baselineSeconds),
    method: flat((s) => s.methodSeconds),
    baselineTokens: flat((s) => s.tokens?.baseline),
    methodTokens: flat((s) => s.tokens?.method),
  };
}

function speedupOf({ baseline, method, baselineTokens, methodTokens }: FlatPairs): number {
  const total = (list: Float64Array) => list.reduce((sum, x) => sum + x, 0);
  return total(baseline) / total(baselineTokens) / (total(method) / total(methodTokens));
}

/**
 * The prompts of each stratum. One prompt alone says nothing of its stratum's spread: such prompts are put together, and the
 * last of them, if there is only one, with the largest stratum.
 */
export function strataOf(samples: readonly Pick<PairedSample, 'stratum'>[]): number[][] {
  const byName = new Map<string | undefined, number[]>();
  samples.forEach(({ stratum }, i) => {
    byName.set(stratum, [...(byName.get(stratum) ?? []), i]);
  });
  const all = [...byName.values()];
  const strata = all.filter((members) => members.length > 1);
  const alone = all.filter((members) => members.length === 1).flat();
  if (alone.length === 0) return strata;
  if (alone.length > 1 || strata.length === 0) return [...strata, alone];
  const largest = Math.max(...strata.map((members) => members.length));
  strata.find((members) => members.length === largest)!.push(...alone);
  return strata;
}

function resampledSpeedup(pairs: FlatPairs, strata: readonly number[][], random: Random): number {
  const { start, baseline, method, baselineTokens, methodTokens } = pairs;
  let b = 0;
  let m = 0;
  let bTokens = 0;
  let mTokens = 0;
  for (const members of strata) {
    for (let i = 0; i < members.length; i++) {
      const prompt = members[random.integer(members.length)];
      const first = start[prompt];
      const repetitions = start[prompt + 1] - first;
      for (let r = 0; r < repetitions; r++) {
        // One draw for the pair: its two runs were timed beside each other and share the machine's mood.
        const at = first + random.integer(repetitions);
        b += baseline[at];
        m += method[at];
        bTokens += baselineTokens[at];
        mTokens += methodTokens[at];
      }
    }
  }
  return b / bTokens / (m / mTokens);
}
