import { Random } from '../../random.js';
import {
  type Candidate,
  candidateKey,
  randomDraft,
  randomMask,
  type SearchSpace,
} from '../candidate.js';
import { hammingDistance } from './local-search.js';

/** Masks drawn for each place of the design; the one furthest from those already placed is kept. */
const DRAWS = 16;
/** Skip ratios of the design run from one to the other. */
const LOWEST_RATIO = 0.1;
const HIGHEST_RATIO = 0.7;

/**
 * What a model-based sampler tries before it models: the caller's candidates (without repeats and empty masks), then
 * random masks of evenly spread skip ratios in shuffled order, spread out by maximin Hamming distance: as many as there are
 * fewer candidates than 8 to 16 (one for every 10 bits).
 */
export function initialDesign(
  space: SearchSpace,
  seed: number,
  initial: readonly Candidate[],
): Candidate[] {
  const random = new Random(seed);
  const design: Candidate[] = [];
  const keys = new Set<string>();
  const add = (candidate: Candidate) => {
    const key = candidateKey(candidate);
    if (keys.has(key) || !candidate.mask.includes(1)) return;
    keys.add(key);
    design.push(candidate);
  };
  initial.forEach(add);
  const least = Math.min(16, Math.max(8, Math.ceil(space.bits / 10)));
  const size = Math.max(0, least - design.length);
  const places = random.shuffle(Array.from({ length: size }, (_, k) => k / Math.max(1, size - 1)));
  for (const place of places) {
    const ratio = LOWEST_RATIO + place * (HIGHEST_RATIO - LOWEST_RATIO);
    const draws = Array.from({ length: DRAWS }, () => randomMask(space.bits, ratio, random));
    const isolation = draws.map((mask) =>
      Math.min(...design.map((d) => hammingDistance(mask, d.mask))),
    );
    add({
      mask: draws[isolation.indexOf(Math.max(...isolation))],
      draft: randomDraft(space, random),
    });
  }
  return design;
}
