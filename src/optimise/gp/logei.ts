/**
 * Log expected improvement (Ament et al. 2023, "Unexpected Improvements to Expected Improvement", eq. 9).
 *
 * | symbol | meaning                                                                              |
 * |--------|--------------------------------------------------------------------------------------|
 * | m, s   | posterior mean and standard deviation of a candidate's noise-free score              |
 * | f*     | the incumbent's value                                                                |
 * | z      | (m - f*) / s                                                                         |
 * | h(z)   | phi(z) + z Phi(z), so that EI = s h(z), LogEI = log s + log h(z)                     |
 * | R(t)   | Mills ratio (1 - Phi(t)) / phi(t) = 1/(t + 1/(t + 2/(t + 3/(t + ...))))              |
 *
 * For z <= -1 the two terms of h cancel. With t = -z and C = 1/(t + 2/(t + 3/(t + ...))), R = 1/(t + C) and
 * h(z) = phi(z) (1 - t R(t)) = phi(z) C / (t + C), where nothing cancels.
 */

const LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI);

/** LogEI of a candidate for maximisation; finite for every finite input with `sd` > 0, -Infinity where `sd` is 0. */
export function logExpectedImprovement(mean: number, sd: number, incumbent: number): number {
  return sd > 0 ? Math.log(sd) + logH((mean - incumbent) / sd) : -Infinity;
}

/** log(phi(z) + z Phi(z)), accurate to about 1e-12 relative for every z. */
export function logH(z: number): number {
  if (z <= -1) {
    const t = -z;
    const c = millsTail(t);
    return -0.5 * z * z - LOG_SQRT_2PI + Math.log(c / (t + c));
  }
  const density = Math.exp(-0.5 * z * z - LOG_SQRT_2PI);
  return Math.log(density + z * normalCdf(z, density));
}

/** C(t) above, t >= 1. */
function millsTail(t: number): number {
  // The error falls as exp(-2 t sqrt(2 k)) with k levels: 200 suffice at t = 1, fewer further out.
  const levels = Math.min(200, 20 + Math.ceil(180 / (t * t)));
  let value = t;
  for (let k = levels; k >= 2; k--) value = t + k / value;
  return 1 / value;
}

/** Phi(z) for z > -1, given phi(z): its power series about 0 near it, the Mills ratio beyond. */
function normalCdf(z: number, density: number): number {
  if (z >= 2) return 1 - density / (z + millsTail(z));
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return 0.5 + density * sum;
}
