import type { Random } from '../../random.js';
import { minimize } from '../gp/lbfgs.js';
import type { MaternProcess } from '../gp/matern.js';

/** Points drawn first. (The reference's library draws 10,000; in so many dimensions they tell hardly more.) */
const WARM_UP = 2000;
/** Climbs from the best of them, as many as there. */
const CLIMBS = 10;
/** Fewer of both where they would take more multiplications than this, each: an ask at 1000 trials takes about 0.3 s. */
const WORK = 1.5e8;
/** Multiplications that an element of k takes beside the distance. */
const KERNEL = 30;
/** Evaluations of a climb. */
const EVALUATIONS = 30;

/**
 * The point of [0, 1]^D of greatest upper confidence bound that random points and climbs from the best of them find (the
 * reference's library: `acq_max` of bayesian-optimization 1.x, there with L-BFGS-B from random starts). The box is kept by
 * x = sin^2 z, z free.
 * @param kappa standard deviations above the mean.
 */
export function upperBoundMaximum(
  model: MaternProcess,
  kappa: number,
  random: Random,
): Float64Array {
  model.update();
  const { count, dimensions } = model;
  const perPoint = count * (dimensions + KERNEL + count / 2);
  const points = Math.min(WARM_UP, Math.max(40, Math.floor(WORK / perPoint)));
  const drawn: { point: Float64Array; value: number }[] = [];
  for (let first = 0; first < points; first += 4) {
    const batch = Array.from({ length: 4 }, () =>
      Float64Array.from({ length: dimensions }, () => random.uniform()),
    );
    for (const [r, value] of model.upperBounds(batch, kappa).entries())
      drawn.push({ point: batch[r], value });
  }
  drawn.sort((a, b) => b.value - a.value);
  const perClimb = EVALUATIONS * count * (4 * dimensions + 3 * KERNEL + count);
  const climbs = Math.min(CLIMBS, Math.max(1, Math.floor(WORK / perClimb)));
  let best = drawn[0];
  for (const { point } of drawn.slice(0, climbs)) {
    const climbed = climb(model, point, kappa);
    if (climbed.value > best.value) best = climbed;
  }
  return best.point;
}

function climb(model: MaternProcess, from: Float64Array, kappa: number) {
  const inBox = (z: Float64Array) => z.map((angle) => Math.sin(angle) ** 2);
  const negative = (z: Float64Array) => {
    const { value, gradient } = model.upperBound(inBox(z), kappa);
    return { value: -value, gradient: gradient.map((g, i) => -g * Math.sin(2 * z[i])) };
  };
  const start = from.map((x) => Math.asin(Math.sqrt(x)));
  const point = inBox(minimize(negative, start, EVALUATIONS));
  return { point, value: model.upperBounds([point], kappa)[0] };
}
