import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { attentionInputs, blockSize, queryRowsPerToken, tailName } from '../graph/attention.js';
import { hasMixedWindows } from '../graph/layer-kinds.js';
import { identityRow } from '../graph/rope.js';
import type { KvCache } from './kv-cache.js';

/** What a row may not look at, as in pass-inputs.ts. */
const hidden = -1e9;

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
 * and the new rows go to scratch blocks behind it, which the runtime drops after the pass.
 */
export class ReplayInputs {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Queries. */
  readonly count: number;

  /** @param cache the full model's keys and values of everything before the last window's start. */
  constructor(config: ModelConfig, cache: KvCache, layout: ReplayLayout) {
    const { tokens, first, starts } = layout;
    const { kvHeads, heads, layers, headDim } = config;
    const count = tokens.length;
    const past = Math.max(1, Math.ceil(starts.at(-1)! / blockSize));
    const tail = Math.ceil(count / blockSize);
    const int64 = (values: number[], dims: number[]) =>
      new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
    const queries = tokens.map((_, i) => i);
    const rotated = Array.from({ length: heads + 2 * kvHeads }, (_, head) =>
      queries.map((i) => (head < heads + kvHeads ? first + i : identityRow(config))),
    );
    const slots = Array.from({ length: kvHeads }, (_, head) =>
      queries.map((i) => [Math.floor(i / blockSize), head, i % blockSize]),
    );
    const rows = queryRowsPerToken(config);
    const biasOf = (window: number) => {
      const bias = new Float32Array((past + tail) * rows * count * blockSize).fill(hidden);
      const perBlock = rows * count * blockSize;
      let start = first;
      let next = 0;
      for (const i of queries) {
        const position = first + i;
        while (next < starts.length && starts[next]! <= position) start = starts[next++]!;
        const allow = (block: number, slot: number) => {
          for (let row = i; row < rows * count; row += count) {
            bias[block * perBlock + row * blockSize + slot] = 0;
          }
        };
        for (let p = Math.max(0, position - window + 1); p < start; p++) {
          allow(Math.floor(p / blockSize), p % blockSize);
        }
        for (let p = Math.max(start, position - window + 1); p <= position; p++) {
          allow(past + Math.floor((p - first) / blockSize), (p - first) % blockSize);
        }
      }
      return new Tensor('float32', bias, [past + tail, 1, rows * count, blockSize]);
    };
    const window = config.slidingWindow ?? Number.POSITIVE_INFINITY;
    // Every layer writes its rows into its own copy of the scratch blocks, so all can be fed the same zeros.
    const scratch = new Tensor('float32', new Float32Array(tail * kvHeads * blockSize * headDim), [
      tail,
      kvHeads,
      blockSize,
      headDim,
    ]);
    const feeds: Record<string, Tensor> = {
      token_ids: int64([...tokens], [count]),
      [attentionInputs.rotary]: int64(rotated.flat(), [rotated.length, count]),
      [attentionInputs.slots]: int64(slots.flat(2), [kvHeads, count, 3]),
      [attentionInputs.blockCounts]: int64([past, tail], [2]),
      ...(hasMixedWindows(config)
        ? {
            [attentionInputs.bias]: biasOf(Number.POSITIVE_INFINITY),
            [attentionInputs.windowedBias]: biasOf(window),
          }
        : { [attentionInputs.bias]: biasOf(window) }),
      ...cache.leadingBlocks(past),
    };
    for (let layer = 0; layer < layers; layer++) {
      feeds[tailName('k', layer)] = scratch;
      feeds[tailName('v', layer)] = scratch;
    }
    this.feeds = feeds;
    this.count = count;
  }
}
