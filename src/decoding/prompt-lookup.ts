/**
 * Prompt lookup: a draft without a model (Saxena 2023, "Prompt lookup decoding"). What followed the latest earlier
 * occurrence of the last n tokens is proposed to follow again, for the largest n from `maxNgram` down to `minNgram` that has one.
 *
 * The reference scans the whole text each round and takes the first occurrence. Here a hash table for each n, from n-gram
 * to the latest place that follows it, grows with the text: a lookup costs the same however long the text is. The tables
 * hold places and the text itself settles equality, so nothing is confused by a hash.
 *
 * The texts of earlier generations stay to be found, as in REST (He et al. 2023, arXiv 2311.08252) but without a corpus of
 * anybody else's: people ask one machine for things that are like each other. The latest occurrence is the current text's where
 * that has one.
 */

/** The reference's n-gram and draft lengths. */
export const DEFAULT_MAX_NGRAM = 3;
export const DEFAULT_LOOKUP_LENGTH = 10;

/** Tokens that a match is followed back; longer ones are right as often. */
export const MOST_MATCHED = 8;

const FIRST_CAPACITY = 1024;
/** Tokens that are remembered; past them the older half is forgotten. Their tables take 3 MiB. */
const MOST_TOKENS = 1 << 17;
/** Stands between texts; no token has it. */
const SEPARATOR = -1;

/** Texts to look up in. */
export interface PromptLookup {
  /** Starts a text of its own; earlier ones stay to be found. */
  begin(): void;
  /** Adds tokens that stay: the prompt, then what each round emitted (never a draft). */
  append(tokens: ArrayLike<number>): void;
  /** Adds a drafted token until `retract`: what follows it can be looked up, but it is not found itself. */
  suppose(token: number): void;
  /** Takes back all that was supposed. */
  retract(): void;
  /** Where the latest earlier occurrence of the last tokens ends, of as many of them as have one; 0 where none has. */
  find(): number;
  /** How many tokens before that place are those at the end of the text, up to {@link MOST_MATCHED}. */
  matched(place: number): number;
  /** Whether the place is in an earlier text. */
  isEarlier(place: number): boolean;
  /**
   * Writes up to `limit` tokens from that place on to the start of `into` and returns how many.
   *
   * A draft ends where the text does, with one exception: where the last tokens went round a short cycle twice or more, the
   * draft goes on round it.
   */
  propose(place: number, limit: number, into: Int32Array): number;
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
  /** Where the current text begins. */
  let start = 0;
  /** Tokens at the end that are only supposed. */
  let supposed = 0;
  let tables = emptyTables(maxNgram, FIRST_CAPACITY);

  /** Every n-gram that ends before `end` now has something that follows it, at `end`. */
  const index = (end: number): void => {
    for (let n = 1; n <= maxNgram && n <= end; n++) {
      const table = tables[n - 1];
      table[slot(table, text, end, n)] = end;
    }
  };

  /** The text from a place on, in room for `capacity` tokens. */
  const rebuild = (from: number, capacity: number): void => {
    const kept = new Int32Array(capacity);
    kept.set(text.subarray(from, length));
    text = kept;
    length -= from;
    start -= from;
    tables = emptyTables(maxNgram, capacity);
    for (let end = 1; end < length - supposed; end++) if (text[end] !== SEPARATOR) index(end);
  };

  const push = (token: number): void => {
    if (length === text.length) rebuild(0, 2 * text.length);
    text[length++] = token;
  };

  /** Where the text goes on after the latest earlier occurrence of its last n tokens; 0 without one. */
  const follower = (n: number): number => {
    const table = tables[n - 1];
    return table[slot(table, text, length, n)];
  };

  /** Where the text goes on after the latest earlier occurrence of its longest last n-gram that has one; 0 without one. */
  const find = (): number => {
    for (let n = Math.min(maxNgram, length); n >= minNgram; n--) {
      const place = follower(n);
      if (place !== 0) return place;
    }
    return 0;
  };

  return {
    begin() {
      if (length === 0) return;
      if (length > MOST_TOKENS) rebuild(length - MOST_TOKENS / 2, MOST_TOKENS);
      // Nothing follows the end of a text, so it is not indexed.
      push(SEPARATOR);
      start = length;
    },

    append(tokens) {
      for (let i = 0; i < tokens.length; i++) {
        push(tokens[i]);
        index(length - 1);
      }
    },

    suppose(token) {
      push(token);
      supposed++;
    },

    retract() {
      length -= supposed;
      supposed = 0;
    },

    find,

    matched(place) {
      let n = 0;
      while (n < MOST_MATCHED && n < place && text[place - 1 - n] === text[length - 1 - n]) n++;
      return n;
    },

    isEarlier: (place) => place < start,

    propose(place, limit, into) {
      const distance = length - place;
      const wanted = Math.min(limit, into.length);
      // An occurrence this near means that the text went round a cycle twice or more.
      const isCycle = distance <= maxNgram && sameNgram(text, place, length, distance);
      const count = isCycle ? wanted : Math.min(wanted, distance);
      for (let i = 0; i < count; i++) {
        const token = i < distance ? text[length - distance + i] : into[i - distance];
        // An earlier text ends here.
        if (token === SEPARATOR) return i;
        into[i] = token;
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
