import type { Random } from '../../random.js';
import type { Candidate, SearchSpace } from '../candidate.js';
import type { Acquisition, Base } from './acquisition.js';
import { applyMove, type Move, movesFrom } from './neighbourhood.js';

/** A candidate with its LogEI. */
export interface Proposal {
  readonly candidate: Candidate;
  readonly value: number;
}

/** Where a climb may go. */
export interface Region {
  /** Masks stay within `radius` differing bits of this one. */
  readonly center: Uint8Array;
  readonly radius: number;
  /** True for what must not be proposed: the empty mask, what was tried already. */
  readonly excluded: (candidate: Candidate) => boolean;
}

/** Exact values per step are taken for at most this many neighbours, the most promising by their bound. */
const EXACT_PER_STEP = 32;

/**
 * Steepest ascent of LogEI over one- and two-bit flips and changes of the draft rule, from `start` until no neighbour
 * is better or `work` multiplications are spent.
 * @returns the best candidate met that is not excluded, or undefined if there was none.
 */
export function climb(
  acquisition: Acquisition,
  start: Candidate,
  region: Region,
  space: SearchSpace,
  random: Random,
  work: number,
): Proposal | undefined {
  const count = acquisition.model.count;
  let base = acquisition.base(start);
  let best: Proposal | undefined = region.excluded(start) ? undefined : base;
  let left = work - count * count;
  for (;;) {
    const moves = within(movesFrom(base.candidate, space, random), base.candidate.mask, region);
    const step = bestNeighbour(acquisition, base, moves, region);
    left -= 8 * count * moves.length + step.evaluated * count * count * 0.5;
    if (!step.proposal || (best && step.proposal.value <= best.value)) return best;
    best = step.proposal;
    left -= count * count;
    if (left <= 0) return best;
    base = acquisition.base(best.candidate);
  }
}

/** The neighbour of greatest LogEI, with how many exact values that took. */
export function bestNeighbour(
  acquisition: Acquisition,
  base: Base,
  moves: readonly Move[],
  region: Region,
): { proposal: Proposal | undefined; evaluated: number } {
  const ranked = moves
    .map((move) => ({ move, bound: acquisition.bound(base, move) }))
    .sort((a, b) => b.bound - a.bound);
  let proposal: Proposal | undefined;
  let evaluated = 0;
  for (let at = 0; at < ranked.length && evaluated < EXACT_PER_STEP; ) {
    const batch: { move: Move; candidate: Candidate }[] = [];
    for (; at < ranked.length && batch.length < 4; at++) {
      if (proposal && ranked[at].bound <= proposal.value) break;
      const { move } = ranked[at];
      const candidate = applyMove(base.candidate, move);
      if (!region.excluded(candidate)) batch.push({ move, candidate });
    }
    if (batch.length === 0) break;
    const values = acquisition.exact(
      base,
      batch.map(({ move }) => move),
    );
    evaluated += batch.length;
    for (const [r, value] of values.entries())
      if (!proposal || value > proposal.value) proposal = { candidate: batch[r].candidate, value };
  }
  return { proposal, evaluated };
}

/** Number of bits in which two masks differ. */
export function hammingDistance(a: Uint8Array, b: Uint8Array): number {
  let distance = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) distance++;
  return distance;
}

function within(moves: Move[], mask: Uint8Array, { center, radius }: Region): Move[] {
  const distance = hammingDistance(mask, center);
  return moves.filter(({ flips }) => {
    let after = distance;
    for (const i of flips) after += mask[i] === center[i] ? 1 : -1;
    return after <= radius;
  });
}
