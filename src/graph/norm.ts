import type { ModelConfig } from '../checkpoint/model-config.js';
import { elementType, type Initializers, type Nodes } from './builder.js';

/**
 * Adds an RMSNorm over the last dimension.
 * @param name of the weights in the scope of the nodes.
 */
export function addNorm(
  nodes: Nodes,
  shared: Initializers,
  { rmsNormEps }: ModelConfig,
  x: string,
  weight: Float32Array,
  label: string,
  name: string,
): string {
  const stored = shared.inline(`${nodes.scope}${name}`, elementType.float, [weight.length], weight);
  return nodes.add('SimplifiedLayerNormalization', label, [x, stored], {
    axis: { int: -1 },
    epsilon: { float: rmsNormEps },
  });
}

/** Adds a product with a number; nothing where it is 1. */
export function addScale(
  nodes: Nodes,
  shared: Initializers,
  x: string,
  factor: number,
  label: string,
): string {
  if (factor === 1) return x;
  const name = `factor:${factor}`;
  return nodes.add('Mul', label, [
    x,
    shared.inline(name, elementType.float, [], Float32Array.of(factor)),
  ]);
}

/**
 * Adds a soft cap, c tanh(x); nothing where there is none.
 * @param x already divided by c.
 */
export function addSoftCap(
  nodes: Nodes,
  shared: Initializers,
  x: string,
  cap: number | null,
  label: string,
): string {
  if (cap === null) return x;
  return addScale(nodes, shared, nodes.add('Tanh', `${label}_tanh`, [x]), cap, label);
}

/** The norms of queries and keys before they are rotated, weights of a head or of all heads. */
export interface StoredQkNorm {
  readonly q: Float32Array;
  readonly k: Float32Array;
}

/**
 * Adds the norms of queries and keys.
 * @param qkv [S, (H + 2 KV) D]: queries, keys and values of all heads.
 * @returns the same, those of queries and keys normalised.
 */
export function addQkNorm(
  nodes: Nodes,
  shared: Initializers,
  config: ModelConfig,
  { q: qWeight, k: kWeight }: StoredQkNorm,
  qkv: string,
): string {
  const { heads: H, kvHeads: KV, headDim: D, qkNorm } = config;
  const int64 = (values: readonly number[]) => shared.int64(`int64:${values.join(',')}`, values);
  const byHead = qkNorm === 'head';
  const unit = byHead ? 1 : D;
  const axis = { axis: { int: 1 } };
  const whole = byHead ? nodes.add('Reshape', 'qkv_raw', [qkv, int64([-1, H + 2 * KV, D])]) : qkv;
  const [q, k, v] = nodes.addMany(
    'Split',
    'qkv_split',
    [whole, int64([H * unit, KV * unit, KV * unit])],
    ['q_raw', 'k_raw', 'v_raw'],
    axis,
  ) as [string, string, string];
  const normed = [
    addNorm(nodes, shared, config, q, qWeight, 'q_normed', 'q_norm'),
    addNorm(nodes, shared, config, k, kWeight, 'k_normed', 'k_norm'),
    v,
  ];
  return nodes.add('Concat', 'qkv_normed', normed, axis);
}
