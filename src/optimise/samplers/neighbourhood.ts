import type { Random } from '../../random.js';
import {
  type Candidate,
  canonicalDraft,
  MAX_DRAFT_LENGTH,
  MIN_DRAFT_LENGTH,
  randomDraft,
  SEARCHED_EXITS,
  type SearchedRule,
  type SearchSpace,
  THRESHOLDS,
} from '../candidate.js';

/** One step of the local search: bits to flip (0 to 2), and the draft rule where it changes. */
export interface Move {
  readonly flips: readonly number[];
  readonly draft: SearchedRule | undefined;
}

/** Up to this many two-bit moves are tried per step: all of them while they are so few, else a random sample. */
const MOST_PAIRS = 240;
/** Draft rules drawn anew per step, beside the neighbours of the current one. */
const DRAFT_JUMPS = 3;
/** Where a threshold begins when a rule without one gets one: the reference's start and half the range. */
const FIRST_THRESHOLDS = [0.8, 0.5];

/** All one-bit flips, two-bit flips (see `MOST_PAIRS`) and, where the draft is searched, changes of the draft rule. */
export function movesFrom(from: Candidate, space: SearchSpace, random: Random): Move[] {
  const moves: Move[] = [];
  for (let i = 0; i < space.bits; i++) moves.push({ flips: [i], draft: undefined });
  moves.push(...pairs(space.bits, random));
  if (space.draft === 'search')
    for (const draft of draftNeighbours(from.draft, space, random))
      moves.push({ flips: [], draft });
  return moves;
}

/** The candidate that a move leads to. */
export function applyMove(from: Candidate, move: Move): Candidate {
  const mask = from.mask.slice();
  for (const i of move.flips) mask[i] ^= 1;
  return { mask, draft: move.draft ?? from.draft };
}

function pairs(bits: number, random: Random): Move[] {
  const moves: Move[] = [];
  if ((bits * (bits - 1)) / 2 <= MOST_PAIRS) {
    for (let i = 0; i < bits; i++)
      for (let j = 0; j < i; j++) moves.push({ flips: [i, j], draft: undefined });
    return moves;
  }
  while (moves.length < MOST_PAIRS) {
    const i = random.integer(bits);
    const j = random.integer(bits);
    if (i !== j) moves.push({ flips: [i, j], draft: undefined });
  }
  return moves;
}

function draftNeighbours(draft: SearchedRule, space: SearchSpace, random: Random): SearchedRule[] {
  const rules: SearchedRule[] = [];
  for (const step of [-2, -1, 1, 2])
    rules.push({ ...draft, draftLength: draft.draftLength + step });
  if (draft.exit !== 'fixed') {
    const at = THRESHOLDS.indexOf(draft.threshold);
    for (const step of [-4, -1, 1, 4])
      rules.push({ ...draft, threshold: THRESHOLDS[at + step] ?? -1 });
  }
  for (const exit of SEARCHED_EXITS) {
    if (exit === draft.exit) continue;
    const thresholds = draft.exit === 'fixed' ? FIRST_THRESHOLDS : [draft.threshold];
    for (const threshold of thresholds) rules.push(canonicalDraft({ ...draft, exit, threshold }));
  }
  for (let i = 0; i < DRAFT_JUMPS; i++) rules.push(randomDraft(space, random));
  return rules.filter(
    ({ draftLength, threshold }) =>
      draftLength >= MIN_DRAFT_LENGTH && draftLength <= MAX_DRAFT_LENGTH && threshold >= 0,
  );
}
