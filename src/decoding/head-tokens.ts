/**
 * Columns and tokens: a draft's head may have fewer words than the vocabulary. Logits are indexed by column; proposals, noise
 * and what a coupling compares are by token id.
 */
import type { HeadTokens } from '../engine/draft-graph.js';
import type { Survivors } from './sampling/filter.js';

/** The token id of a column. */
export function tokenOf(head: HeadTokens, column: number): number {
  return head ? head[column]! : column;
}

/** The column of a token that the head has. */
export function columnOf(head: HeadTokens, token: number): number {
  if (!head) return token;
  let low = 0;
  let high = head.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (head[middle]! < token) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts token ids in place of the columns that a filter left; a head's tokens ascend, so their order stays. */
export function mapColumns(head: HeadTokens, { ids, count }: Survivors): void {
  if (!head) return;
  for (let i = 0; i < count; i++) ids[i] = head[ids[i]!]!;
}
