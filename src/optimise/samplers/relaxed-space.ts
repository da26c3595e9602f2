/**
 * Masks and rules as points of [0, 1]^D: bit i is skipped where x_i > 0.5, as in the reference's search (Draft & Verify,
 * arXiv 2309.08168, 4.1). Where the draft-length rule is searched too it takes three further dimensions, each cut into equal
 * cells: exit kind, draft length, threshold.
 */
import type { Random } from '../../random.js';
import {
  type Candidate,
  canonicalDraft,
  MAX_DRAFT_LENGTH,
  MIN_DRAFT_LENGTH,
  SEARCHED_EXITS,
  type SearchedRule,
  type SearchSpace,
  THRESHOLDS,
} from '../candidate.js';

const LENGTHS = MAX_DRAFT_LENGTH - MIN_DRAFT_LENGTH + 1;

/** D: the mask's bits and, where the rule is searched, three more. */
export function relaxedDimensions({ bits, draft }: SearchSpace): number {
  return bits + (draft === 'search' ? 3 : 0);
}

/** A point drawn uniformly. */
export function randomPoint(space: SearchSpace, random: Random): Float64Array {
  return Float64Array.from({ length: relaxedDimensions(space) }, () => random.uniform());
}

/** The candidate of a point. Where no bit is above 0.5 the greatest one is skipped: the empty mask is none. */
export function cut(point: Float64Array, space: SearchSpace): Candidate {
  const relaxed = point.subarray(0, space.bits);
  const mask = Uint8Array.from(relaxed, (x) => (x > 0.5 ? 1 : 0));
  if (!mask.includes(1)) mask[relaxed.indexOf(Math.max(...relaxed))] = 1;
  return { mask, draft: cutRule(point, space) };
}

/** The rule of a point. */
export function cutRule(point: Float64Array, { bits, draft }: SearchSpace): SearchedRule {
  if (draft !== 'search') return draft;
  return canonicalDraft({
    exit: SEARCHED_EXITS[cell(point[bits], SEARCHED_EXITS.length)],
    draftLength: MIN_DRAFT_LENGTH + cell(point[bits + 1], LENGTHS),
    threshold: THRESHOLDS[cell(point[bits + 2], THRESHOLDS.length)],
  });
}

/** The point of a candidate that came without one: its corner of the mask, as the reference probes, and its rule's cell. */
export function cornerOf({ mask, draft }: Candidate, space: SearchSpace): Float64Array {
  const point = new Float64Array(relaxedDimensions(space));
  point.set(mask);
  if (space.draft !== 'search') return point;
  const centre = (index: number, cells: number) => (index + 0.5) / cells;
  point[space.bits] = centre(SEARCHED_EXITS.indexOf(draft.exit), SEARCHED_EXITS.length);
  point[space.bits + 1] = centre(draft.draftLength - MIN_DRAFT_LENGTH, LENGTHS);
  const threshold = Math.round(draft.threshold * THRESHOLDS.length);
  point[space.bits + 2] = centre(threshold, THRESHOLDS.length);
  return point;
}

function cell(x: number, cells: number): number {
  return Math.min(cells - 1, Math.floor(x * cells));
}
