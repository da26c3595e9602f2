import {
  type Candidate,
  MAX_DRAFT_LENGTH,
  MIN_DRAFT_LENGTH,
  SEARCHED_EXITS,
  type SearchedRule,
  THRESHOLDS,
} from '../candidate.js';

/**
 * Candidates as the kernel sees them.
 *
 * | symbol | shape  | meaning                                                             |
 * |--------|--------|---------------------------------------------------------------------|
 * | n      | scalar | bits of a mask                                                      |
 * | N      | scalar | points                                                              |
 * | x      | [N, n] | mask bits coded +1 (skipped) and -1 (kept)                          |
 * | w      | [N, W] | the same bits packed, eight to a byte, W = ceil(n / 8)              |
 * | u      | [N, 2] | draft length and threshold, each scaled to [0, 1]                   |
 * | e      | [N]    | exit kind, an index into `SEARCHED_EXITS`                              |
 */
export class Points {
  readonly bits: number;
  /** W. */
  readonly width: number;
  count = 0;
  /** x, row after row. */
  signs: Int8Array;
  /** w, row after row. */
  packed: Uint8Array;
  /** u, row after row. */
  draft: Float64Array;
  /** e. */
  exit: Uint8Array;

  constructor(bits: number, capacity = 64) {
    this.bits = bits;
    this.width = Math.ceil(bits / 8);
    this.signs = new Int8Array(capacity * bits);
    this.packed = new Uint8Array(capacity * this.width);
    this.draft = new Float64Array(capacity * 2);
    this.exit = new Uint8Array(capacity);
  }

  /** Adds one candidate, whose mask has `bits` bits. */
  append(candidate: Candidate): void {
    if (this.count === this.exit.length) {
      this.signs = grown(this.signs, new Int8Array(this.signs.length * 2));
      this.packed = grown(this.packed, new Uint8Array(this.packed.length * 2));
      this.draft = grown(this.draft, new Float64Array(this.draft.length * 2));
      this.exit = grown(this.exit, new Uint8Array(this.exit.length * 2));
    }
    const at = this.count++;
    const { signs, packed, draft, exit } = encode(candidate);
    this.signs.set(signs, at * this.bits);
    this.packed.set(packed, at * this.width);
    this.draft.set(draft, at * 2);
    this.exit[at] = exit;
  }

  /** Point `a` (views, not copies, of its bits). */
  at(a: number): EncodedPoint {
    return {
      signs: this.signs.subarray(a * this.bits, (a + 1) * this.bits),
      packed: this.packed.subarray(a * this.width, (a + 1) * this.width),
      draft: [this.draft[2 * a], this.draft[2 * a + 1]],
      exit: this.exit[a],
    };
  }

  /** The points with these indices, in this order, as a set of their own. */
  select(indices: readonly number[]): Points {
    const chosen = new Points(this.bits, Math.max(1, indices.length));
    for (const a of indices) {
      const at = chosen.count++;
      chosen.signs.set(this.at(a).signs, at * this.bits);
      chosen.packed.set(this.at(a).packed, at * this.width);
      chosen.draft.set(this.at(a).draft, at * 2);
      chosen.exit[at] = this.exit[a];
    }
    return chosen;
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** One point: a row of x, of w, of u and of e. */
export interface EncodedPoint extends EncodedDraft {
  readonly signs: Int8Array;
  readonly packed: Uint8Array;
}

/** The part of a point that is not the mask. */
export interface EncodedDraft {
  readonly draft: readonly [number, number];
  readonly exit: number;
}

/** The point of a candidate. */
export function encode({ mask, draft }: Candidate): EncodedPoint {
  const packed = new Uint8Array(Math.ceil(mask.length / 8));
  for (const [i, bit] of mask.entries()) packed[i >> 3] |= bit << (i & 7);
  return {
    signs: Int8Array.from(mask, (bit) => (bit === 1 ? 1 : -1)),
    packed,
    ...encodeDraft(draft),
  };
}

/** The draft part of a point. */
export function encodeDraft(rule: SearchedRule): EncodedDraft {
  const length = (rule.draftLength - MIN_DRAFT_LENGTH) / (MAX_DRAFT_LENGTH - MIN_DRAFT_LENGTH);
  const threshold = rule.threshold / THRESHOLDS[THRESHOLDS.length - 1];
  return { draft: [length, threshold], exit: SEARCHED_EXITS.indexOf(rule.exit) };
}
