import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { attentionInputs, queryRowsPerToken } from '../graph/attention.js';
import { hasMixedWindows } from '../graph/layer-kinds.js';
import { identityRow } from '../graph/rope.js';
import { type KvCache, pastRows } from './kv-cache.js';
import { hidden, missing, scorePaddings } from './pass-inputs.js';

/** Which queries a replay pass has and what each of them sees. */
export interface ReplayLayout {
  /** Token ids of the queries, at positions `first`, `first + 1`, ... */
  readonly tokens: readonly number[];
  /** Position of the first query. */
  readonly first: number;
  /** Positions where windows begin, ascending; the first is `first`. */
  readonly starts: readonly number[];
}

/**
 * The inputs of a window replay: one pass over many positions of a known sequence, in which a query at position
 * p of a window that begins at s sees the cache's keys and values before s and the pass's own from s to p. That is what a
 * draft sees at offset p - s when all before it was accepted. Made once and used for every mask: the cache is fed as it is,
 * and the new rows stand behind it.
 */
export class ReplayInputs {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Queries. */
  readonly count: number;

  /** @param cache the full model's keys and values of everything before the last window's start. */
  constructor(config: ModelConfig, cache: KvCache, layout: ReplayLayout) {
    const { tokens, first, starts } = layout;
    const { kvHeads, heads } = config;
    const count = tokens.length;
    const cached = starts.at(-1)!;
    const past = pastRows(cached);
    const columns = 1 + cached + count;
    const padding = missing(columns);
    const int64 = (values: number[], dims: number[]) =>
      new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
    const rotated = tokens.flatMap((_, i) =>
      Array.from({ length: heads + 2 * kvHeads }, (_head, head) =>
        head < heads + kvHeads ? first + i : identityRow(config),
      ),
    );
    const rows = queryRowsPerToken(config);
    const width = columns + padding;
    /** @param window positions that a query sees, its own included. */
    const biasOf = (window: number) => {
      const bias = new Float32Array(rows * count * width).fill(hidden);
      let start = first;
      let next = 0;
      for (let i = 0; i < count; i++) {
        const position = first + i;
        while (next < starts.length && starts[next]! <= position) start = starts[next++]!;
        const oldest = Math.max(0, position - window + 1);
        for (let row = i * rows; row < (i + 1) * rows; row++) {
          const cells = bias.subarray(row * width, (row + 1) * width);
          if (oldest < start) cells.fill(0, 1 + oldest, 1 + start);
          cells.fill(0, 1 + cached + Math.max(start, oldest) - first, 2 + cached + i);
        }
      }
      return new Tensor('float32', bias, [1, 1, rows * count, width]);
    };
    const window = config.slidingWindow ?? Number.POSITIVE_INFINITY;
    const feeds: Record<string, Tensor> = {
      token_ids: int64([...tokens], [count]),
      [attentionInputs.rotary]: int64(rotated, [count, heads + 2 * kvHeads]),
      [attentionInputs.columns]: int64([past, columns - past, padding], [3]),
      [attentionInputs.padding]: scorePaddings(config, count)[padding]!,
      ...(hasMixedWindows(config)
        ? {
            [attentionInputs.bias]: biasOf(Number.POSITIVE_INFINITY),
            [attentionInputs.windowedBias]: biasOf(window),
          }
        : { [attentionInputs.bias]: biasOf(window) }),
    };
    cache.feed(feeds, cached);
    this.feeds = feeds;
    this.count = count;
  }
}
