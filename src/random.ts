/**
 * Seeded random numbers: xoshiro128** (Blackman and Vigna 2018), its state filled by splitmix32.
 *
 * | symbol | shape   | meaning                                                       |
 * |--------|---------|---------------------------------------------------------------|
 * | s      | [4]     | state, four unsigned 32-bit words, not all zero               |
 * | seed   | scalar  | chooses the experiment                                        |
 * | stream | scalar  | chooses an independent sequence of that seed (one per trial)  |
 */
export class Random {
  readonly #s = new Uint32Array(4);

  /**
   * @param seed any safe integer.
   * @param stream any non-negative safe integer, default 0: streams of one seed do not overlap in practice.
   */
  constructor(seed: number, stream = 0) {
    let z = 0;
    const absorb = (word: number) => {
      z = mix32((z + (word >>> 0) + 0x9e3779b9) | 0);
    };
    for (const value of [seed, stream]) {
      absorb(value % 2 ** 32);
      absorb(Math.floor(value / 2 ** 32));
    }
    for (let i = 0; i < 4; i++) {
      z = (z + 0x9e3779b9) | 0;
      this.#s[i] = mix32(z);
    }
    if (this.#s.every((word) => word === 0)) this.#s[0] = 1;
  }

  /** A uniform unsigned 32-bit integer. */
  next32(): number {
    const s = this.#s;
    const x = Math.imul(s[1], 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const high = this.next32() >>> 5;
    return (high * 2 ** 26 + (this.next32() >>> 6)) * 2 ** -53;
  }

  /** A uniform integer in [0, bound); `bound` is an integer from 1 to 2^32. Unbiased, by rejection. */
  integer(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const x = this.next32();
      if (x < limit) return x % bound;
    }
  }

  /** Standard normal (Box-Muller, the cosine half). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

function mix32(value: number): number {
  let z = value;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
