import type { Tensor } from 'onnxruntime-node';
import type { HeadRows } from '../../engine/head-rows.js';
import { type HeadWords, withWords } from '../head-tokens.js';

/** Words of a text that join those that a draft's head has built in: they are likely to come again. */
export interface AddedWords {
  /** Built-in words, and those that were added at the latest refresh. */
  readonly head: HeadWords;
  /** Words that are to join. */
  add(words: readonly number[]): void;
  /** Lets them join. @returns inputs of passes, where it has changed something. */
  refresh(): Promise<Record<string, Tensor> | null>;
}

/** @param builtIn token ids of the words that are built in, ascending. */
export function createAddedWords(builtIn: Int32Array, headRows: HeadRows): AddedWords {
  let head: HeadWords = { tokens: builtIn, builtIn: builtIn.length };
  let wider = head;
  /** Rows and bias of the words that were added, by token. */
  const known = new Map<number, { row: Float32Array; bias: number }>();
  return {
    get head() {
      return head;
    },
    add(words) {
      wider = withWords(wider, words);
    },
    async refresh() {
      if (wider === head) return null;
      const next = wider;
      const added = next.tokens.subarray(next.builtIn);
      const missing = Array.from(added).filter((token) => !known.has(token));
      const found = await headRows.lookUp(missing);
      const size = found.rows.length / missing.length;
      for (const [i, token] of missing.entries())
        known.set(token, {
          row: found.rows.subarray(i * size, (i + 1) * size),
          bias: found.bias[i] ?? 0,
        });
      const rows = new Float32Array(added.length * size);
      const bias = new Float32Array(added.length);
      for (const [i, token] of added.entries()) {
        const own = known.get(token)!;
        rows.set(own.row, i * size);
        bias[i] = own.bias;
      }
      head = next;
      return headRows.feeds({ rows, bias });
    },
  };
}
