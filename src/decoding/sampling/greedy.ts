/**
 * The id of the largest of `logits[offset .. offset + length)`, counted from `offset`; ties go to the lowest id.
 * NaN never wins; 0 when no logit is above -Infinity.
 */
export function argmax(logits: Float32Array, offset: number, length: number): number {
  let best = -Infinity;
  let at = offset;
  const end = offset + length;
  for (let i = offset; i < end; i++) {
    const logit = logits[i];
    if (logit > best) {
      best = logit;
      at = i;
    }
  }
  return at - offset;
}

/** Logits further than this (in nats) below the token's are left out of the softmax sum. */
const CONFIDENCE_REACH = 20;

/**
 * Softmax probability (temperature 1, no filter) of the token whose logit is `value`, the most probable one or whichever
 * was drafted: the confidence that draft exit rules read.
 *
 * Made to be fast, for it is paid with every drafted token: logits more than 20 nats below `value` are skipped and the
 * other exponentials approximated from below. The result is never too low (rounding apart). It is too high by at most
 * 1e-5 for the approximation, plus length * e^-20 (7e-5 for 32k tokens, 3e-4 for 128k) where every other logit lies just
 * below those 20 nats.
 * @param value finite, one of the logits
 */
export function topProbability(
  logits: Float32Array,
  offset: number,
  length: number,
  value: number,
): number {
  const least = value - CONFIDENCE_REACH;
  let sum = 0;
  const end = offset + length;
  for (let i = offset; i < end; i++) {
    const logit = logits[i];
    if (logit >= least) sum += exponential(logit - value);
  }
  return 1 / sum;
}

/**
 * e^(logit - value) of some logits, as {@link topProbability} sums them; 0 for those more than 20 nats below.
 * @param into by index of the logit; others are left as they are.
 * @param indices default: all.
 */
export function exponentials(
  logits: Float32Array,
  value: number,
  into: Float64Array,
  indices?: Int32Array,
): void {
  const count = indices ? indices.length : logits.length;
  for (let i = 0; i < count; i++) {
    const at = indices ? indices[i] : i;
    const below = logits[at] - value;
    into[at] = below >= -CONFIDENCE_REACH ? exponential(below) : 0;
  }
}

/**
 * e^x for x from -20 to about 20, twice as fast as Math.exp: the Taylor polynomial of e^(x/64), then six squarings. Too low by
 * a share of x^6 / 7.7e11 (the first term left out): 2e-8 at -5, 8e-5 at -20, where e^x itself is 2e-9.
 */
function exponential(x: number): number {
  const y = x / 64;
  let e = 1 + y * (1 + y * (1 / 2 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120)))));
  e *= e;
  e *= e;
  e *= e;
  e *= e;
  e *= e;
  return e * e;
}
