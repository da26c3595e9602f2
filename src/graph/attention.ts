/**
 * Attention over the cache as it lies and the new rows, so that a pass of M tokens gives the same bits as M passes of one.
 *
 * symbol | shape              | meaning
 * -------|--------------------|------------------------------------------------------------------
 * S      |                    | new tokens of this pass
 * H, KV  |                    | query heads, K/V heads; G = H / KV query heads share a K/V head
 * D      |                    | head dimension, in e parts of up to 128 for scores and c parts of 16 for values
 * n      |                    | cached rows: one that is masked, so that none of these is empty, and all before the first new token
 * P      |                    | rows before the segment of the new tokens; t = n - P those of it, the tail
 * R      | G * S              | query rows per K/V head; row r belongs to token floor(r / G)
 * T      | n + S + padding    | columns, a multiple of 16
 * q      | [KV, e, R, D / e]  | rotated queries
 * K      | [n, KV, e, D / e]  | cached keys
 * V      | [n, KV, c, D / c]  | cached values, as past [P, ...] and tail [t, ...]
 * bias   | [1, 1, R, T]       | 0 where a row may look, a large negative number where not
 *
 * w = softmax(q K^T / sqrt(D) + bias) over the columns; result w V = (w V of the past) + (w V of tail and new rows). Some families
 * scale the products otherwise, or cap them softly before the bias.
 *
 * Why no sum depends on M, and what parts of 128 and 16 and the factor beside 1 are for: docs/bit-exact-attention.md.
 */
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Initializers, Nodes } from './builder.js';
import { readsWindowedBias, ropeOfLayer } from './layer-kinds.js';
import { addLinear, type StoredLinear } from './linear.js';
import { addQkNorm, addSoftCap, type StoredQkNorm } from './norm.js';

/**
 * Positions in a segment: a pass copies the values of its own segment, and no pass runs over the end of one. Part of the compiled
 * graph; a change needs a new graph version.
 */
export const segmentSize = 64;

/** Columns are padded to a multiple of this, the most that softmax kernels take at a time. */
export const columnMultiple = 16;

/** Query rows per K/V head and token. */
export function queryRowsPerToken({ heads, kvHeads }: ModelConfig): number {
  return heads / kvHeads;
}

/** Parts of a head's dimension, each short enough that no kernel cuts a sum over it. */
export function keyParts({ headDim }: ModelConfig): number {
  let parts = Math.ceil(headDim / 128);
  while (headDim % parts !== 0) parts++;
  return parts;
}

/** Parts of a head's dimension, each narrow enough that threads do not share a product. */
export function valueParts({ headDim }: ModelConfig): number {
  return headDim % 16 === 0 ? headDim / 16 : 1;
}

/** A factor that is next to 1 in 32 bits: it keeps single rows from the matrix-vector kernel, which rounds differently. */
const almostOne = 1 - 2 ** -24;

/** Weights of one attention sublayer in the external data. */
export interface StoredAttention {
  /** Before the sublayer, and after it; null where the model has none. */
  readonly norm: Float32Array | null;
  readonly outNorm: Float32Array | null;
  readonly qkNorm: StoredQkNorm | null;
  /** Rows of q, then k, then v. */
  readonly qkv: StoredLinear;
  readonly output: StoredLinear;
}

/** Names of the graph inputs that every attention sublayer reads. */
export const attentionInputs = {
  rotary: 'rotary_positions',
  bias: 'attention_bias',
  /** Of the layers with a window, where others have none. */
  windowedBias: 'windowed_attention_bias',
  padding: 'score_padding',
  columns: 'column_counts',
} as const;

export function pastName(kind: 'k' | 'v', layer: number): string {
  return `past_${kind}.${layer}`;
}
export function tailName(layer: number): string {
  return `tail_v.${layer}`;
}

/**
 * Adds the operators of an attention sublayer, without its residual addition.
 * @param x name of the normalised input, [S, hidden].
 * @returns `output` [S, hidden] and the new `k` and `v` rows, [S, KV, D] each, rotated.
 */
export function addAttention(
  nodes: Nodes,
  shared: Initializers,
  config: ModelConfig,
  layer: number,
  stored: StoredAttention,
  x: string,
): { output: string; k: string; v: string } {
  const { heads: H, kvHeads: KV, headDim: D } = config;
  const G = H / KV;
  const [e, c] = [keyParts(config), valueParts(config)];
  const int64 = (values: readonly number[]) => shared.int64(`int64:${values.join(',')}`, values);
  const reshape = (label: string, value: string, shape: readonly number[]) =>
    nodes.add('Reshape', label, [value, int64(shape)]);

  const projected = addLinear(nodes, shared, stored.qkv, x, 'qkv');
  const qkv = stored.qkNorm
    ? addQkNorm(nodes, shared, config, stored.qkNorm, projected)
    : projected;
  const byToken = reshape('qkv_heads', qkv, [-1, H + 2 * KV, D]);
  // One rotation for q, k and v: the rows of v are given a position whose rotation is the identity.
  const rope = ropeOfLayer(config, layer);
  const rotated =
    rope === null
      ? byToken
      : nodes.add(
          'RotaryEmbedding',
          'rotated',
          [byToken, attentionInputs.rotary, `${rope}_cos`, `${rope}_sin`],
          config.rotaryDim === null
            ? {}
            : { num_heads: { int: 1 }, rotary_embedding_dim: { int: config.rotaryDim } },
        );
  const [q, k, v] = nodes.addMany(
    'Split',
    'split',
    [rotated, int64([H, KV, KV])],
    ['q', 'k', 'v'],
    { axis: { int: 1 } },
  ) as [string, string, string];
  const grouped = nodes.add(
    'Transpose',
    'q_grouped',
    [reshape('q_heads', q, [-1, KV, G, e, D / e])],
    {
      perm: { ints: [1, 3, 0, 2, 4] },
    },
  );
  const queries = reshape('q_rows', grouped, [KV, e, -1, D / e]);

  const { attentionScale, attentionSoftCap } = config;
  const alpha = (attentionScale ?? 1 / Math.sqrt(D)) / (attentionSoftCap ?? 1);
  const product = {
    transB: { int: 1 },
    transBatchB: { int: 1 },
    alpha: { float: alpha === 1 ? almostOne : alpha },
  };
  const scoresPast = nodes.add(
    'FusedMatMul',
    'scores_past',
    [queries, pastName('k', layer)],
    product,
  );
  const keys = reshape('k_parts', k, [-1, KV, e, D / e]);
  const scoresNew = nodes.add('FusedMatMul', 'scores_new', [queries, keys], product);
  const inParts = nodes.add('Concat', 'scores', [scoresPast, scoresNew, attentionInputs.padding], {
    axis: { int: 3 },
  });
  const scores =
    e === 1
      ? inParts
      : nodes.add('ReduceSum', 'scores_sum', [inParts, int64([1])], { keepdims: { int: 1 } });
  const capped = addSoftCap(nodes, shared, scores, attentionSoftCap, 'capped');
  const bias = readsWindowedBias(config, layer) ? 'windowedBias' : 'bias';
  const masked = nodes.add('Add', 'masked', [capped, attentionInputs[bias]]);
  const weights = nodes.add('Softmax', 'weights', [masked], { axis: { int: -1 } });
  const [weightsPast, weightsTail] = nodes.addMany(
    'Split',
    'weights_split',
    [weights, attentionInputs.columns],
    ['weights_past', 'weights_tail', 'weights_padding'],
    { axis: { int: 3 } },
  ) as [string, string, string];
  const newValues = reshape('v_parts', v, [-1, KV, c, D / c]);
  const tail = nodes.add('Concat', 'tail_values', [tailName(layer), newValues], {
    axis: { int: 0 },
  });
  const sum = { transBatchB: { int: 1 }, alpha: { float: almostOne } };
  const ofPast = nodes.add('FusedMatMul', 'values_past', [weightsPast, pastName('v', layer)], sum);
  const ofTail = nodes.add('FusedMatMul', 'values_tail', [weightsTail, tail], sum);
  const attended = nodes.add('Add', 'attended', [ofPast, ofTail]);

  const heads = reshape('attended_heads', attended, [KV, c, -1, G, D / c]);
  const tokens = nodes.add('Transpose', 'attended_by_token', [heads], {
    perm: { ints: [2, 0, 3, 1, 4] },
  });
  const flat = reshape('attended_flat', tokens, [-1, H * D]);
  return { output: addLinear(nodes, shared, stored.output, flat, 'o'), k, v };
}
