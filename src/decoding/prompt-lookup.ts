/**
 * Prompt lookup: a draft without a model (Saxena 2023, "Prompt lookup decoding"). What followed the latest earlier
 * occurrence of the last n tokens is proposed to follow again, for the largest n from `maxNgram` down to `minNgram` that has one.
 *
 * The reference scans the whole text each round and takes the first occurrence. Here a hash table for each n, from n-gram
 * to the latest place that follows it, grows with the text: a lookup costs the same however long the text is. The tables
 * hold places and the text itself settles equality, so nothing is confused by a hash.
 */

/** The reference's n-gram and draft lengths. */
export const DEFAULT_MAX_NGRAM = 3;
export const DEFAULT_LOOKUP_LENGTH = 10;

const FIRST_CAPACITY = 1024;

/** The drafter of one generation. */
export interface PromptLookup {
  /** Adds tokens that stay: the prompt, then what each round emitted (never a draft). */
  append(tokens: ArrayLike<number>): void;
  /** The length of the longest n-gram at the end of the text that occurred before; 0 when none did. */
  match(): number;
  /**
   * Writes a draft of up to `limit` tokens to the start of `into` and returns its length; 0 without an earlier occurrence.
   *
   * A draft ends where the text does, with one exception: an occurrence at most n tokens back means that the last tokens
   * went round a cycle twice or more, and the draft goes on round it.
   */
  propose(limit: number, into: Int32Array): number;
}

/**
 * @param maxNgram longest n-gram to match, at least 1
 * @param minNgram shortest, from 1 to `maxNgram`: what followed a single token often does not follow it again
 */
export function createPromptLookup(
  maxNgram: number = DEFAULT_MAX_NGRAM,
  minNgram = 1,
): PromptLookup {
  let text = new Int32Array(FIRST_CAPACITY);
  let length = 0;
  let tables = emptyTables(maxNgram, FIRST_CAPACITY);

  /** Every n-gram that ends before `end` now has something that follows it, at `end`. */
  const index = (end: number): void => {
    for (let n = 1; n <= maxNgram && n <= end; n++) {
      const table = tables[n - 1];
      table[slot(table, text, end, n)] = end;
    }
  };

  const grow = (): void => {
    const longer = new Int32Array(2 * text.length);
    longer.set(text);
    text = longer;
    tables = emptyTables(maxNgram, text.length);
    for (let end = 1; end < length; end++) index(end);
  };

  /** Where the text goes on after the latest earlier occurrence of its last n tokens; 0 without one. */
  const follower = (n: number): number => {
    const table = tables[n - 1];
    return table[slot(table, text, length, n)];
  };

  const match = (): number => {
    for (let n = Math.min(maxNgram, length); n >= minNgram; n--) if (follower(n) !== 0) return n;
    return 0;
  };

  return {
    append(tokens) {
      for (let i = 0; i < tokens.length; i++) {
        if (length === text.length) grow();
        text[length] = tokens[i];
        index(length++);
      }
    },

    match,

    propose(limit, into) {
      const n = match();
      if (n === 0) return 0;
      const distance = length - follower(n);
      const wanted = Math.min(limit, into.length);
      const count = distance <= n ? wanted : Math.min(wanted, distance);
      for (let i = 0; i < count; i++) {
        into[i] = i < distance ? text[length - distance + i] : into[i - distance];
      }
      return count;
    },
  };
}

/** One table for each n; twice as many slots as there can be n-grams, so that probes stay short. 0 is an empty slot. */
function emptyTables(maxNgram: number, capacity: number): Int32Array[] {
  return Array.from({ length: maxNgram }, () => new Int32Array(2 * capacity));
}

/**
 * The slot of the n-gram that ends before `end`: the one that holds a place after an equal n-gram, else the empty one
 * where it belongs. The table's length is a power of two.
 */
function slot(table: Int32Array, text: Int32Array, end: number, n: number): number {
  const mask = table.length - 1;
  let hash = 0;
  for (let i = end - n; i < end; i++) hash = Math.imul(hash ^ text[i], 0x9e3779b1) ^ (hash >>> 15);
  let at = (hash ^ (hash >>> 16)) & mask;
  while (table[at] !== 0 && !sameNgram(text, table[at], end, n)) at = (at + 1) & mask;
  return at;
}

function sameNgram(text: Int32Array, a: number, b: number, n: number): boolean {
  for (let i = 1; i <= n; i++) if (text[a - i] !== text[b - i]) return false;
  return true;
}
