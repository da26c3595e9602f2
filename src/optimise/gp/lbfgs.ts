/**
 * L-BFGS minimisation with a backtracking line search (Nocedal and Wright 2006, algorithms 7.4 and 3.1).
 *
 * | symbol | shape    | meaning                                                         |
 * |--------|----------|-----------------------------------------------------------------|
 * | x, g   | [D]      | point and gradient                                              |
 * | s, y   | [m, D]   | the last m steps and the changes of gradient over them          |
 * | d      | [D]      | search direction, -H g with H from s and y (two-loop recursion) |
 */

/** A function's value and gradient. The value may be Infinity (the line search then backs off). */
export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

const MEMORY = 8;
/** No coordinate moves further than this in one step: the parameters here are logarithms. */
const LONGEST_STEP = 1.5;

/**
 * @param start where to begin; f must be finite there.
 * @param evaluations most calls of `f`.
 * @returns the best point seen.
 */
export function minimize(
  f: (x: Float64Array) => Evaluation,
  start: Float64Array,
  evaluations: number,
): Float64Array {
  let x: Float64Array = start.slice();
  let current = f(x);
  let used = 1;
  const steps: Float64Array[] = [];
  const changes: Float64Array[] = [];
  while (used < evaluations) {
    let direction: Float64Array = quasiNewton(current.gradient, steps, changes);
    let slope = inner(direction, current.gradient);
    if (!(slope < 0)) {
      steps.length = 0;
      changes.length = 0;
      direction = current.gradient.map((g) => -g);
      slope = inner(direction, current.gradient);
    }
    if (slope > -1e-9) break;
    const longest = direction.reduce((most, d) => Math.max(most, Math.abs(d)), 0);
    const cautious = steps.length === 0 ? Math.min(1, 0.5 / longest) : 1;
    let length = Math.min(cautious, LONGEST_STEP / longest);
    let accepted: { x: Float64Array; evaluation: Evaluation } | undefined;
    while (!accepted && used < evaluations && length > 1e-6) {
      const trial = x.map((v, i) => v + length * direction[i]);
      const evaluation = f(trial);
      used++;
      if (evaluation.value <= current.value + 1e-4 * length * slope)
        accepted = { x: trial, evaluation };
      else length /= 3;
    }
    if (!accepted) break;
    const gain = current.value - accepted.evaluation.value;
    const s = accepted.x.map((v, i) => v - x[i]);
    const y = accepted.evaluation.gradient.map((g, i) => g - current.gradient[i]);
    // Only pairs of positive curvature keep H positive definite.
    if (inner(s, y) > 1e-10 * inner(y, y)) {
      steps.push(s);
      changes.push(y);
      if (steps.length > MEMORY) {
        steps.shift();
        changes.shift();
      }
    }
    x = accepted.x;
    current = accepted.evaluation;
    if (gain < 1e-3) break;
  }
  return x;
}

function quasiNewton(
  g: Float64Array,
  steps: Float64Array[],
  changes: Float64Array[],
): Float64Array {
  const d = g.map((v) => -v);
  const m = steps.length;
  if (m === 0) return d;
  const weights = new Float64Array(m);
  for (let k = m - 1; k >= 0; k--) {
    weights[k] = inner(steps[k], d) / inner(steps[k], changes[k]);
    for (let i = 0; i < d.length; i++) d[i] -= weights[k] * changes[k][i];
  }
  const scale = inner(steps[m - 1], changes[m - 1]) / inner(changes[m - 1], changes[m - 1]);
  for (let i = 0; i < d.length; i++) d[i] *= scale;
  for (let k = 0; k < m; k++) {
    const beta = inner(changes[k], d) / inner(steps[k], changes[k]);
    for (let i = 0; i < d.length; i++) d[i] += (weights[k] - beta) * steps[k][i];
  }
  return d;
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
