/**
 * Attention over K/V blocks, so that a pass of M tokens gives the same bits as M passes of one.
 *
 * symbol | shape            | meaning
 * -------|------------------|------------------------------------------------------------------
 * S      |                  | new tokens of this pass
 * H, KV  |                  | query heads, K/V heads; G = H / KV query heads share a K/V head
 * D      |                  | head dimension
 * B      |                  | positions in a block
 * Nf, Nt |                  | full blocks before the first new token's block; blocks from there on
 * R      | max(G, 2) * S    | query rows per K/V head; row r belongs to token r mod S
 * q      | [1, KV, R, D]    | rotated queries
 * K, V   | [N, KV, B, D]    | cached blocks: full (zero-copy) and tail (the new rows scattered in)
 * bias   | [Nf+Nt, 1, R, B] | 0 where a row may look, a large negative number where not
 *
 * Per block: scores s = q K^T / sqrt(D) + bias, e = exp(s - max s) with the maximum over all blocks (exact whatever
 * the order), numerator e V and denominator sum(e); numerators and denominators are then added in block order. A
 * position takes part in the same products whether it is past, tail or new, and no reduction has a length that
 * depends on S, so nothing is rounded differently.
 *
 * The matrix-vector kernel (one row) rounds differently from the matrix-matrix kernel, hence at least two rows.
 */
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Initializers, Nodes } from './builder.js';
import { readsWindowedBias, ropeOfLayer } from './layer-kinds.js';
import { addLinear, type StoredLinear } from './linear.js';
import { addQkNorm, addSoftCap, type StoredQkNorm } from './norm.js';

/**
 * Positions in a K/V block: short enough that little is computed on padding, long enough for matrix kernels. Part of the
 * compiled graph; a change needs a new graph version.
 */
export const blockSize = 32;

/** Query rows per K/V head and token: the group, doubled when there is only one. */
export function queryRowsPerToken(config: ModelConfig): number {
  return Math.max(config.heads / config.kvHeads, 2);
}

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
  slots: 'new_slots',
  blockCounts: 'block_counts',
} as const;

export function pastName(kind: 'k' | 'v', layer: number): string {
  return `past_${kind}.${layer}`;
}
export function tailName(kind: 'k' | 'v', layer: number): string {
  return `tail_${kind}.${layer}`;
}

/**
 * Adds the operators of an attention sublayer, without its residual addition.
 * @param x name of the normalised input, [S, hidden].
 * @returns `output` [S, hidden] and the new `k` and `v` rows, [KV, S, D] each, rotated.
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
  const single = H === KV;
  const int64 = (values: readonly number[]) => shared.int64(`int64:${values.join(',')}`, values);

  const projected = addLinear(nodes, shared, stored.qkv, x, 'qkv');
  const qkv = stored.qkNorm
    ? addQkNorm(nodes, shared, config, stored.qkNorm, projected)
    : projected;
  const byToken = nodes.add('Reshape', 'qkv_heads', [qkv, int64([-1, H + 2 * KV, D])]);
  const byHead = nodes.add('Transpose', 'qkv_by_head', [byToken], { perm: { ints: [1, 0, 2] } });
  // One rotation for q, k and v: the rows of v are given a position whose rotation is the identity.
  const rope = ropeOfLayer(config, layer);
  const rotated =
    rope === null
      ? byHead
      : nodes.add(
          'RotaryEmbedding',
          'rotated',
          [byHead, attentionInputs.rotary, `${rope}_cos`, `${rope}_sin`],
          config.rotaryDim === null
            ? {}
            : { num_heads: { int: 1 }, rotary_embedding_dim: { int: config.rotaryDim } },
        );
  const [q, k, v] = nodes.addMany(
    'Split',
    'split',
    [rotated, int64([H, KV, KV])],
    ['q', 'k', 'v'],
    {
      axis: { int: 0 },
    },
  ) as [string, string, string];
  const grouped = nodes.add('Reshape', 'q_grouped', [q, int64([1, KV, -1, D])]);
  const queries = single
    ? nodes.add('Concat', 'q_twice', [grouped, grouped], { axis: { int: 2 } })
    : grouped;

  const tailK = nodes.add('ScatterND', 'tail_k', [tailName('k', layer), attentionInputs.slots, k]);
  const tailV = nodes.add('ScatterND', 'tail_v', [tailName('v', layer), attentionInputs.slots, v]);
  const { attentionScale, attentionSoftCap } = config;
  const alpha = (attentionScale ?? 1 / Math.sqrt(D)) / (attentionSoftCap ?? 1);
  const scale = { transB: { int: 1 }, alpha: { float: alpha } };
  const scoresPast = nodes.add(
    'FusedMatMul',
    'scores_past',
    [queries, pastName('k', layer)],
    scale,
  );
  const scoresTail = nodes.add('FusedMatMul', 'scores_tail', [queries, tailK], scale);
  const scores = nodes.add('Concat', 'scores', [scoresPast, scoresTail], { axis: { int: 0 } });
  const capped = addSoftCap(nodes, shared, scores, attentionSoftCap, 'capped');
  const bias = readsWindowedBias(config, layer) ? 'windowedBias' : 'bias';
  const masked = nodes.add('Add', 'masked', [capped, attentionInputs[bias]]);
  const maximum = nodes.add('ReduceMax', 'maximum', [masked, int64([0, 3])], {
    keepdims: { int: 1 },
  });
  const centred = nodes.add('Sub', 'centred', [masked, maximum]);
  const weights = nodes.add('Exp', 'weights', [centred]);
  const [weightsPast, weightsTail] = nodes.addMany(
    'Split',
    'weights_split',
    [weights, attentionInputs.blockCounts],
    ['weights_past', 'weights_tail'],
    { axis: { int: 0 } },
  ) as [string, string];
  const valuesPast = nodes.add('MatMul', 'values_past', [weightsPast, pastName('v', layer)]);
  const valuesTail = nodes.add('MatMul', 'values_tail', [weightsTail, tailV]);
  const values = nodes.add('Concat', 'values', [valuesPast, valuesTail], { axis: { int: 0 } });
  const numerator = nodes.add('ReduceSum', 'numerator', [values, int64([0])], {
    keepdims: { int: 1 },
  });
  const denominator = nodes.add('ReduceSum', 'denominator', [weights, int64([0, 3])], {
    keepdims: { int: 1 },
  });
  const attended = nodes.add('Div', 'attended', [numerator, denominator]);

  const perHead = single
    ? nodes.add('Slice', 'first_rows', [
        nodes.add('Reshape', 'attended_twice', [attended, int64([KV, 2, -1, D])]),
        int64([0]),
        int64([1]),
        int64([1]),
      ])
    : attended;
  const heads = nodes.add('Reshape', 'attended_heads', [perHead, int64([H, -1, D])]);
  const tokens = nodes.add('Transpose', 'attended_by_token', [heads], {
    perm: { ints: [1, 0, 2] },
  });
  const flat = nodes.add('Reshape', 'attended_flat', [tokens, int64([-1, H * D])]);
  return { output: addLinear(nodes, shared, stored.output, flat, 'o'), k, v };
}
