import { Random } from '../random.js';
import { holm } from './statistics.js';

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

const ALPHA = 0.05;
/** Resamples of up to 50 comparisons; ... */
const RESAMPLES = 2000;
/** ... and for each of more than that: the smallest p-value, 2 / (B + 1), times their number must lie below ALPHA. */
const RESAMPLES_EACH = 2 / ALPHA;
const Z = 1.959964;

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

/** What a comparison with the baseline allows one to say. */
export type Verdict = 'faster' | 'slower' | 'not distinguishable from 1.0x';

/** A measured speedup. */
export interface SpeedupEstimate {
  /** Baseline time per token over the method's: above 1 the method is faster. */
  readonly speedup: number;
  /** 95% interval, lower end first. */
  readonly ci95: readonly [number, number];
  /** Two-sided bootstrap p-value of "the speedup is 1"; at least 2 / (resamples + 1). */
  readonly pValue: number;
  /** At the 5% level; see {@link holmVerdicts} for several comparisons at once. */
  readonly verdict: Verdict;
}

/**
 * The speedup over all prompts and its 95% interval by a bootstrap with prompts as clusters, within their strata, and
 * repetitions nested.
 * @param options.seed seeds the resampling: the same samples and seed give the same interval.
 * @param options.resamples default 2000, which keeps the sampling error of the interval's ends near 1% of its width
 *   and leaves p-values fine enough to correct 50 comparisons; see {@link resamplesFor}.
 * @returns with a single prompt, the interval of its repetitions and no verdict: one prompt says nothing of others.
 * @throws RangeError when there is no sample, or one whose lists are empty, uneven or not positive.
 */
export function speedupInterval(
  samples: readonly PairedSample[],
  { seed, resamples = RESAMPLES }: { seed: number; resamples?: number },
): SpeedupEstimate {
  const pairs = flatten(samples);
  const strata = strataOf(samples);
  return ratioEstimate(
    speedupOf(pairs),
    (random) => resampledSpeedup(pairs, strata, random),
    { clusters: samples.length, strata: strata.length },
    { seed, resamples },
  );
}

/**
 * A ratio with the interval and p-value that its resamples give.
 * @param draw one resample: S' of the table above.
 * @param count n and H of that table.
 */
export function ratioEstimate(
  ratio: number,
  draw: (random: Random) => number,
  count: { readonly clusters: number; readonly strata: number },
  { seed, resamples = RESAMPLES }: { seed: number; resamples?: number },
): SpeedupEstimate {
  const random = new Random(seed);
  const draws = new Float64Array(resamples);
  const stretch = smallSampleFactor(count.clusters, count.strata);
  for (let k = 0; k < resamples; k++) draws[k] = ratio * (draw(random) / ratio) ** stretch;
  draws.sort();

  const tail = Math.max(1, Math.floor((resamples + 1) * (ALPHA / 2)));
  const pValue = count.clusters === 1 ? 1 : pValueOfOne(draws);
  return {
    speedup: ratio,
    ci95: [draws[tail - 1], draws[resamples - tail]],
    pValue,
    verdict: verdictFor(ratio, pValue),
  };
}

/** Resamples with which {@link holmVerdicts} can tell that many comparisons from 1. */
export function resamplesFor(comparisons: number): number {
  return Math.max(RESAMPLES, RESAMPLES_EACH * comparisons);
}

/**
 * The same estimates with verdicts that hold together: the chance of any false "faster" or "slower" among them stays
 * below 5% (Holm 1979). Intervals and p-values are left as they are.
 */
export function holmVerdicts(estimates: readonly SpeedupEstimate[]): SpeedupEstimate[] {
  const adjusted = holm(estimates.map((estimate) => estimate.pValue));
  return estimates.map((estimate, i) => ({
    ...estimate,
    verdict: verdictFor(estimate.speedup, adjusted[i]),
  }));
}

function verdictFor(speedup: number, pValue: number): Verdict {
  if (pValue > ALPHA) return 'not distinguishable from 1.0x';
  return speedup > 1 ? 'faster' : 'slower';
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

/** f of the table above; t by its Cornish-Fisher expansion, within 1% from three degrees of freedom on. */
function smallSampleFactor(prompts: number, strata: number): number {
  const v = Math.max(1, prompts - strata);
  const t =
    Z +
    (Z ** 3 + Z) / (4 * v) +
    (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * v ** 2) +
    (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / (384 * v ** 3);
  return (Math.sqrt((v + strata) / v) * t) / Z;
}

function pValueOfOne(draws: Float64Array): number {
  let below = 0;
  let above = 0;
  for (const draw of draws) {
    if (draw <= 1) below++;
    if (draw >= 1) above++;
  }
  return Math.min(1, (2 * (Math.min(below, above) + 1)) / (draws.length + 1));
}
