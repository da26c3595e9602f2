/**
 * Maximal coupling: speculative (rejection) sampling for one position (Leviathan, Kalman and Matias 2023,
 * arXiv 2211.17192, algorithm 1; Chen et al. 2023, arXiv 2302.01318, algorithm 2).
 *
 * | symbol | shape | meaning                                          |
 * |--------|-------|--------------------------------------------------|
 * | q      | [n]   | the draft's distribution over its survivors      |
 * | p      | [m]   | the target's distribution over its survivors     |
 * | d      | id    | the token drawn from q                           |
 *
 * d is kept with probability min(1, p(d) / q(d)); otherwise the token is drawn from max(0, p - q), normalised. The result
 * is distributed as p, and equals d with probability 1 - TV(p, q), the most that any coupling reaches.
 *
 * `draw` is a running count over the generation, one number for each drafted token and one for each token of the
 * target's alone, never used twice: not the absolute position, which a later round drafts again after a rejection. A
 * draft-length rule may have seen what position's first draw gave, and using it again would bias the output.
 */
import type { Survivors } from './filter.js';
import { STREAM, uniform } from './noise.js';

/** A token of the draft's own from its distribution q. */
export function draftToken(q: Survivors, seed: number, draw: number): number {
  return tokenAt(q, uniform(seed, STREAM.draft, draw, 0));
}

/** A token from the target alone, where nothing was drafted: after a round that kept its whole draft. */
export function targetToken(p: Survivors, seed: number, draw: number): number {
  return tokenAt(p, uniform(seed, STREAM.target, draw, 0));
}

/**
 * Verifies token `d`, drawn from `q` by {@link draftToken}, against the target's `p`: the token to emit. It equals `d`
 * exactly when `d` was accepted, for the residual has no mass on a token that can be rejected.
 * @param draw the one `d` was drawn with
 */
export function verifyToken(
  p: Survivors,
  q: Survivors,
  d: number,
  seed: number,
  draw: number,
): number {
  const u = uniform(seed, STREAM.accept, draw, 0);
  if (u * probabilityOf(q, d) < probabilityOf(p, d)) return d;
  // When all of max(0, p - q) is lost to rounding, p and q are the same.
  return residualToken(p, q, uniform(seed, STREAM.target, draw, 0)) ?? d;
}

/** P(id), 0 for a token that did not survive; survivors are in ascending order of id. */
function probabilityOf({ ids, probabilities, count }: Survivors, id: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low < count && ids[low] === id ? probabilities[low] : 0;
}

/** Inverse of the cumulative distribution; the last survivor where rounding leaves the sum below u. */
function tokenAt({ ids, probabilities, count }: Survivors, u: number): number {
  let left = u;
  for (let j = 0; j < count - 1; j++) {
    left -= probabilities[j];
    if (left < 0) return ids[j];
  }
  return ids[count - 1];
}

/** The token that `u` falls on in max(0, p - q), normalised; undefined when there is no mass. */
function residualToken(p: Survivors, q: Survivors, u: number): number | undefined {
  let mass = 0;
  for (let j = 0, k = 0; j < p.count; j++) {
    k = seek(q, k, p.ids[j]);
    mass += Math.max(0, excess(p, j, q, k));
  }
  let left = u * mass;
  let token: number | undefined;
  for (let j = 0, k = 0; j < p.count && left >= 0; j++) {
    k = seek(q, k, p.ids[j]);
    const share = excess(p, j, q, k);
    if (share > 0) {
      token = p.ids[j];
      left -= share;
    }
  }
  return token;
}

/** First index from `k` on whose id is not below `id`. */
function seek({ ids, count }: Survivors, k: number, id: number): number {
  while (k < count && ids[k] < id) k++;
  return k;
}

/** p - q at p's index j, where k is {@link seek}'s place for the same id in q. */
function excess(p: Survivors, j: number, q: Survivors, k: number): number {
  const shared = k < q.count && q.ids[k] === p.ids[j];
  return p.probabilities[j] - (shared ? q.probabilities[k] : 0);
}
