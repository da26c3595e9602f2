import { fromTheta, type Hyperparameters, thetaPrior } from './hyperparameters.js';
import { minimize } from './lbfgs.js';
import type { Points } from './points.js';
import { negativeLogPosterior } from './posterior-density.js';

/** A fit reads at most this many points: its cost grows as their cube, its worth hardly at all beyond some hundreds. */
export const FIT_POINTS = 160;
/** Most evaluations of the log posterior in a fit. */
export const FIT_EVALUATIONS = 30;

/**
 * Maximum a posteriori hyperparameters, always starting from the prior mean: the result is a function of the data
 * alone, so that a resumed study fits what an uninterrupted one would have.
 *
 * Of more than `FIT_POINTS` points the best quarter of that number is kept (there precision matters) and the rest is
 * taken evenly over time.
 * @param y standardised scores, [N]. @param v standardised told noise variances, [N].
 */
export function fitHyperparameters(
  points: Points,
  y: Float64Array,
  v: Float64Array,
): Hyperparameters {
  const chosen = fitSubset(y, points.count);
  const objective = negativeLogPosterior(
    points.select(chosen),
    Float64Array.from(chosen, (a) => y[a]),
    Float64Array.from(chosen, (a) => v[a]),
  );
  return fromTheta(minimize(objective, thetaPrior(points.bits).mean, FIT_EVALUATIONS));
}

function fitSubset(y: Float64Array, count: number): number[] {
  const all = Array.from({ length: count }, (_, a) => a);
  if (count <= FIT_POINTS) return all;
  const ranked = all.toSorted((a, b) => y[b] - y[a]);
  const best = ranked.slice(0, FIT_POINTS / 4);
  const rest = ranked.slice(FIT_POINTS / 4).sort((a, b) => a - b);
  const wanted = FIT_POINTS - best.length;
  const spread = Array.from(
    { length: wanted },
    (_, k) => rest[Math.floor((k * rest.length) / wanted)],
  );
  return [...best, ...spread].sort((a, b) => a - b);
}
