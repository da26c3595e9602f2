/**
 * Counter-based random numbers: each is a pure function of (seed, stream, position, token), so a draft and its target,
 * or two runs with different draft lengths, meet the same noise at the same place (Salmon, Moraes, Dror and Shaw 2011,
 * "Parallel random numbers: as easy as 1, 2, 3"; Threefry-2x32 with 20 rounds, as in Random123 and JAX).
 *
 * | symbol   | shape     | meaning                                                          |
 * |----------|-----------|------------------------------------------------------------------|
 * | key      | 2 x 32 bit | low word of the seed; stream (10 bits) and high 22 bits of the seed |
 * | counter  | 2 x 32 bit | token id; position                                              |
 * | u        | scalar    | uniform, (k + 1/2) / 2^52 for k in [0, 2^52)                      |
 * | g        | scalar    | Gumbel(0, 1) noise, -log(-log u)                                  |
 */

/** Streams of one seed that never share a number. */
export const STREAM = {
  /** Gumbel noise, shared by draft and target. */
  gumbel: 0,
  /** Maximal coupling: the draft's own draws. */
  draft: 1,
  /** Maximal coupling: accept or reject. */
  accept: 2,
  /** Maximal coupling: draws from the residual, or from the target alone. */
  target: 3,
} as const;

/** The smallest uniform, and the smallest 1 - u: 2^-53. Both are exact in a double. */
export const UNIFORM_STEP = 2 ** -53;

/**
 * Gumbel noise lies within [-3.61, 36.74], both ends set by {@link UNIFORM_STEP}: a token whose scaled logit is further
 * than this below another's can never beat it.
 */
export const GUMBEL_RANGE = 41;

const KEY_PARITY = 0x1bd11bda;

// biome-ignore format: one round a line
/** Threefry-2x32-20: writes the two output words over `into`, as signed 32-bit integers. */
export function threefry2x32(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  into: Int32Array,
): void {
  const key2 = KEY_PARITY ^ key0 ^ key1;
  let a = (counter0 + key0) | 0;
  let b = (counter1 + key1) | 0;
  // Four rounds (add, rotate, xor), then a key injection; five times. Unrolled: this runs once for each candidate token.
  a = (a + b) | 0; b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0; b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0; b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0; b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + key1) | 0; b = (b + key2 + 1) | 0;
  a = (a + b) | 0; b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0; b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0; b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0; b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + key2) | 0; b = (b + key0 + 2) | 0;
  a = (a + b) | 0; b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0; b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0; b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0; b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + key0) | 0; b = (b + key1 + 3) | 0;
  a = (a + b) | 0; b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0; b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0; b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0; b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + key1) | 0; b = (b + key2 + 4) | 0;
  a = (a + b) | 0; b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0; b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0; b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0; b = ((b << 6) | (b >>> 26)) ^ a;
  into[0] = a + key2;
  into[1] = b + key0 + 5;
}

const words = new Int32Array(2);

/**
 * A uniform strictly inside (0, 1) with 52 bits of randomness; 1 - u is exact and has the same range.
 * @param seed a safe integer
 * @param stream one of {@link STREAM}
 * @param position absolute position of the token in the sequence, or a running count of draws; below 2^32
 * @param token token id, 0 where one number a position is wanted
 */
export function uniform(seed: number, stream: number, position: number, token: number): number {
  const high = Math.floor(seed / 2 ** 32);
  threefry2x32(seed | 0, (stream << 22) | (high & 0x3fffff), token, position | 0, words);
  // 52 bits and a half step: with 53 the topmost value would round to 1.
  return ((words[0] >>> 0) * 2 ** 20 + (words[1] >>> 12) + 0.5) * 2 ** -52;
}

/** Gumbel(0, 1) noise of a uniform inside (0, 1). */
export function gumbel(u: number): number {
  return -Math.log(-Math.log(u));
}
