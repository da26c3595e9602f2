/**
 * What resamples of a ratio tell: its interval, its p-value and a verdict. Symbols are those of bootstrap.ts; why, and from where:
 * docs/intervals.md.
 */
import { Random } from '../random.js';
import { holm } from './statistics.js';

const ALPHA = 0.05;
/** Resamples of up to 50 comparisons; ... */
const RESAMPLES = 2000;
/** ... and for each of more than that: the smallest p-value, 2 / (B + 1), times their number must lie below ALPHA. */
const RESAMPLES_EACH = 2 / ALPHA;
const Z = 1.959964;

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
 * A ratio with the interval and p-value that its resamples give.
 * @param draw one resample: S' of bootstrap.ts.
 * @param count n and H there.
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

/** f; t by its Cornish-Fisher expansion, within 1% from three degrees of freedom on. */
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
