import { GaussianProcess, type Observation } from './gp/model.js';

/** What a study learnt of one sublayer. */
export interface SublayerEffect {
  readonly kind: 'attention' | 'mlp';
  readonly layer: number;
  /** Whether the best mask skips it. */
  readonly skipped: boolean;
  /** By how much the score of the best mask is expected to change when this sublayer alone is flipped. */
  readonly flip: number;
  /** Two standard deviations of that expectation, roughly. */
  readonly uncertainty: number;
  /** lambda of gp/kernel.ts, an inverse length scale: how fast scores of masks that differ here become unlike. */
  readonly decay: number;
}

/** More would take long to fit and change little. */
const mostObservations = 400;

/**
 * Which sublayers matter: a Gaussian process fitted to a study's trials is asked what would become of its best mask if one
 * sublayer were flipped. The largest effects first; none before three trials.
 * @param bits 2L
 */
export function sublayerEffects(
  bits: number,
  observations: readonly Observation[],
): SublayerEffect[] {
  if (observations.length < 3) return [];
  const ranked = [...observations].sort((a, b) => b.score - a.score);
  // The best half, where the question is asked, and an even sample of the rest, which tells what hurts.
  const half = mostObservations / 2;
  const rest = ranked.slice(half);
  const every = Math.max(1, rest.length / half);
  const chosen = [
    ...ranked.slice(0, half),
    ...rest.filter((_, i) => Math.floor(i / every) !== Math.floor((i - 1) / every)),
  ];
  const model = GaussianProcess.fit(bits, chosen);
  const means = model.observedMeans();
  const best = chosen[means.reduce((at, mean, i) => (mean > means[at]! ? i : at), 0)]!.candidate;
  const here = model.posterior(best);
  const effects = Array.from({ length: bits }, (_, bit): SublayerEffect => {
    const mask = best.mask.slice();
    mask[bit]! ^= 1;
    const there = model.posterior({ ...best, mask });
    return {
      kind: bit % 2 === 0 ? 'attention' : 'mlp',
      layer: bit >> 1,
      skipped: best.mask[bit] === 1,
      flip: there.mean - here.mean,
      uncertainty: 2 * Math.sqrt(there.variance),
      decay: model.hyperparameters.kernel.decay[bit]!,
    };
  });
  return effects.sort((a, b) => Math.abs(b.flip) - Math.abs(a.flip));
}
