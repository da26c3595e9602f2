/**
 * Columns and tokens: a draft's head may have fewer words than the vocabulary. Logits are indexed by column; proposals, noise
 * and what a coupling compares are by token id.
 */
import type { Survivors } from './sampling/filter.js';

/** The token of every column of a draft's logits: words that are built in, then those added, each part ascending. */
export interface HeadWords {
  readonly tokens: Int32Array;
  /** How many are built in. */
  readonly builtIn: number;
}

/** null where there is a column for each token of the vocabulary, so that a column's number is the token's id. */
export type Head = HeadWords | null;

/** A head without added words. */
export function builtInHead(tokens: Int32Array | null): Head {
  return tokens && { tokens, builtIn: tokens.length };
}

/** A head with those of `words` that it has not got yet; the same head when it has all. */
export function withWords(head: HeadWords, words: Iterable<number>): HeadWords {
  const { tokens, builtIn } = head;
  const missing = new Set<number>();
  for (const word of words) if (columnOf(head, word) < 0) missing.add(word);
  if (missing.size === 0) return head;
  const added = Int32Array.from([...tokens.subarray(builtIn), ...missing]).sort();
  const all = new Int32Array(builtIn + added.length);
  all.set(tokens.subarray(0, builtIn));
  all.set(added, builtIn);
  return { tokens: all, builtIn };
}

/** Columns of the logits of a draft. */
export function columnCount(head: Head, vocabularySize: number): number {
  return head ? head.tokens.length : vocabularySize;
}

/** The token id of a column. */
export function tokenOf(head: Head, column: number): number {
  return head ? head.tokens[column]! : column;
}

/** The column of a token; -1 where the head has not got it. */
export function columnOf(head: Head, token: number): number {
  if (!head) return token;
  const { tokens, builtIn } = head;
  const column = find(tokens, token, 0, builtIn);
  return column < 0 ? find(tokens, token, builtIn, tokens.length) : column;
}

function find(tokens: Int32Array, token: number, first: number, end: number): number {
  let low = first;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle]! < token) low = middle + 1;
    else high = middle;
  }
  return low < end && tokens[low] === token ? low : -1;
}

/** Puts token ids in place of the columns that a filter left, ascending as those who read survivors expect. */
export function mapColumns(head: Head, survivors: Survivors): void {
  if (!head) return;
  const { ids, scores, probabilities, count } = survivors;
  const { tokens, builtIn } = head;
  let first = 0;
  while (first < count && ids[first]! < builtIn) first++;
  for (let i = 0; i < count; i++) ids[i] = tokens[ids[i]!]!;
  // Added words come last; each goes to its place among those before it.
  for (let i = first; i < count; i++) {
    const id = ids[i]!;
    let place = i;
    while (place > 0 && ids[place - 1]! > id) place--;
    if (place === i) continue;
    const { top } = survivors;
    if (top === i) survivors.top = place;
    else if (top >= place && top < i) survivors.top = top + 1;
    for (const part of [ids, scores, probabilities]) {
      const value = part[i]!;
      part.copyWithin(place + 1, place, i);
      part[place] = value;
    }
  }
}
