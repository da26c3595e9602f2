import { Random } from '../../random.js';
import {
  type Candidate,
  candidateKey,
  randomDraft,
  randomMask,
  type SearchSpace,
} from '../candidate.js';
import { checkTold } from '../sampler.js';
import { applyMove, movesFrom } from './neighbourhood.js';

/** What a sampler without a model keeps of its trials: the best one, and what need not be tried again. */
export class ToldTrials {
  readonly #space: SearchSpace;
  readonly #seed: number;
  readonly #tried = new Set<string>();
  #best:
    | { readonly candidate: Candidate; readonly score: number; readonly trial: number }
    | undefined;
  #count = 0;
  #pending = 0;

  constructor(space: SearchSpace, seed: number) {
    this.#space = space;
    this.#seed = seed;
  }

  /** Number of the next trial: those told, and those proposed and not told. */
  get trial(): number {
    return this.#count + this.#pending;
  }

  /** The candidate with the highest score told, the earliest of equals. */
  get best(): Candidate | undefined {
    return this.#best?.candidate;
  }

  /** Whether a candidate was not tried yet and may be. */
  isOpen(candidate: Candidate): boolean {
    return candidate.mask.includes(1) && !this.#tried.has(candidateKey(candidate));
  }

  /** Counts a candidate as proposed; returns it. */
  proposed(candidate: Candidate): Candidate {
    this.#pending++;
    this.#tried.add(candidateKey(candidate));
    return candidate;
  }

  tell(candidate: Candidate, score: number, noiseVariance: number): void {
    checkTold(this.#space.bits, candidate, score, noiseVariance);
    const trial = this.#count++;
    this.#pending = Math.max(0, this.#pending - 1);
    this.#tried.add(candidateKey(candidate));
    if (!this.#best || score > this.#best.score) this.#best = { candidate, score, trial };
  }

  /**
   * The next open variation of the best candidate: one bit flipped or the rule a step changed, then two bits flipped, each
   * in an order of its own seed; a random candidate where none is left.
   */
  variation(): Candidate {
    if (this.#best) {
      const { candidate: best, trial } = this.#best;
      const random = new Random(this.#seed, 2 * trial);
      const moves = movesFrom(best, this.#space, random);
      const [small, large] = [1, 2].map((flips) =>
        random.shuffle(moves.filter((move) => (flips === 2) === (move.flips.length === 2))),
      ) as [typeof moves, typeof moves];
      for (const move of [...small, ...large]) {
        const candidate = applyMove(best, move);
        if (this.isOpen(candidate)) return candidate;
      }
    }
    const random = new Random(this.#seed, 2 * this.trial + 1);
    const mask = randomMask(this.#space.bits, random.uniform(), random);
    return { mask, draft: randomDraft(this.#space, random) };
  }
}
