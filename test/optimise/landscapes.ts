import { randomMask, type SearchedRule } from '../../src/optimise/candidate.js';
import type { Sampler } from '../../src/optimise/sampler.js';
import { Random } from '../../src/random.js';

/**
 * A synthetic score of masks: main effects and pairwise interactions, with measurement noise.
 *
 *   f(x) = sum_i w_i x_i + sum_{i<j, chosen} v_ij x_i x_j,  x in {0,1}^n,  scaled to standard deviation 1
 */
export interface Landscape {
  readonly bits: number;
  /** The noise-free score. */
  value(mask: Uint8Array): number;
  /** Greatest value over all masks but the empty one, by enumeration. */
  readonly optimum: number;
}

/** Standard deviation of the noise, as a share of the landscape's own. */
export const NOISE = 0.1;

/** Every landscape has this draft rule throughout: only masks are searched. */
export const FIXED_RULE: SearchedRule = { exit: 'fixed', draftLength: 5, threshold: 0 };

/** A random landscape of `bits` bits (at most 20), each pair interacting with probability `density`. */
export function pairwiseLandscape(bits: number, density: number, seed: number): Landscape {
  const random = new Random(seed, 999);
  const main = Array.from({ length: bits }, () => random.normal());
  const pairs: { i: number; j: number; v: number }[] = [];
  for (let i = 0; i < bits; i++)
    for (let j = 0; j < i; j++)
      if (random.uniform() < density) pairs.push({ i, j, v: random.normal() });
  const raw = (mask: Uint8Array) =>
    main.reduce((sum, w, i) => sum + w * mask[i], 0) +
    pairs.reduce((sum, { i, j, v }) => sum + v * mask[i] * mask[j], 0);
  const values = Array.from({ length: 2 ** bits - 1 }, (_, k) => raw(maskOf(k + 1, bits)));
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const sd = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  const scaled = (v: number) => (v - mean) / sd;
  return {
    bits,
    value: (mask) => scaled(raw(mask)),
    optimum: scaled(values.reduce((best, v) => Math.max(best, v))),
  };
}

/** Mask number `index`: bit i of the number is bit i of the mask. */
export function maskOf(index: number, bits: number): Uint8Array {
  return Uint8Array.from({ length: bits }, (_, i) => (index >>> i) & 1);
}

/** What a method reached. */
export interface Outcome {
  /** Whether the optimum was among the masks tried. */
  readonly found: boolean;
  /** Optimum minus the noise-free value of the best mask tried, after each trial. */
  readonly regret: number[];
}

/** Runs a sampler for a number of trials on noisy scores, the same noise sequence for every sampler of a seed. */
export function runSampler(
  landscape: Landscape,
  sampler: Sampler,
  trials: number,
  seed: number,
): Outcome {
  return record(landscape, trials, seed, (evaluate) => {
    for (;;) {
      const candidate = sampler.ask();
      const score = evaluate(candidate.mask);
      if (score === undefined) return;
      sampler.tell(candidate, score, NOISE ** 2);
    }
  });
}

/** Restarted local search: first improvement over one-bit flips in random order, a new random mask at each optimum. */
export function runLocalSearch(landscape: Landscape, trials: number, seed: number): Outcome {
  const random = new Random(seed, 31);
  return record(landscape, trials, seed, (evaluate) => {
    for (;;) {
      let mask = randomMask(landscape.bits, random.uniform(), random);
      let score = evaluate(mask);
      for (let improved = true; improved; ) {
        improved = false;
        for (const i of random.shuffle(Array.from(mask.keys()))) {
          const next = mask.slice();
          next[i] ^= 1;
          if (!next.includes(1)) continue;
          const nextScore = evaluate(next);
          if (score === undefined || nextScore === undefined) return;
          if (nextScore > score) {
            mask = next;
            score = nextScore;
            improved = true;
            break;
          }
        }
      }
    }
  });
}

function record(
  landscape: Landscape,
  trials: number,
  seed: number,
  search: (evaluate: (mask: Uint8Array) => number | undefined) => void,
): Outcome {
  const noise = new Random(seed, 7);
  const regret: number[] = [];
  search((mask) => {
    if (regret.length === trials || regret.at(-1) === 0) return undefined;
    const value = landscape.value(mask);
    const gap = landscape.optimum - value;
    regret.push(Math.min(regret.at(-1) ?? Infinity, gap < 1e-9 ? 0 : gap));
    return value + NOISE * noise.normal();
  });
  const found = regret.at(-1) === 0;
  // Once the optimum was tried the regret stays 0: the rest of the run need not be made.
  while (regret.length < trials) regret.push(0);
  return { found, regret };
}
