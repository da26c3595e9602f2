/**
 * The radius of a Hamming trust region (TuRBO, Eriksson et al. 2019; on bits, CASMOPOLITAN, Wan et al. 2021):
 * doubled after consecutive successes, halved after consecutive failures, and started again once it falls below 1.
 *
 * | symbol | meaning                                                       |
 * |--------|---------------------------------------------------------------|
 * | r      | radius in differing bits, from 1 to n; starts at n/4, least 4 |
 * | r_max  | n                                                             |
 */
const SUCCESSES_TO_GROW = 3;
const FEWEST_FAILURES_TO_SHRINK = 6;

export class TrustRegion {
  readonly #bits: number;
  readonly #failuresToShrink: number;
  #radius: number;
  #successes = 0;
  #failures = 0;

  constructor(bits: number) {
    this.#bits = bits;
    this.#failuresToShrink = Math.max(FEWEST_FAILURES_TO_SHRINK, Math.ceil(bits / 8));
    this.#radius = this.#initial();
  }

  /** r, a whole number from 1 to n. */
  get radius(): number {
    return Math.floor(this.#radius);
  }

  /** Reports a trial: did it beat every score before it? */
  report(success: boolean): void {
    this.#successes = success ? this.#successes + 1 : 0;
    this.#failures = success ? 0 : this.#failures + 1;
    if (this.#successes === SUCCESSES_TO_GROW) {
      this.#radius = Math.min(this.#bits, this.#radius * 2);
      this.#successes = 0;
    } else if (this.#failures === this.#failuresToShrink) {
      this.#radius /= 2;
      this.#failures = 0;
      if (this.#radius < 1) this.#radius = this.#initial();
    }
  }

  #initial(): number {
    return Math.min(this.#bits, Math.max(4, this.#bits / 4));
  }
}
