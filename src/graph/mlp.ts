import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Initializers, Nodes } from './builder.js';
import { addLinear, type StoredLinear } from './linear.js';

/** Weights of one MLP sublayer in the external data. */
export interface StoredMlp {
  /** Before the sublayer, and after it; null where the model has none. */
  readonly norm: Float32Array | null;
  readonly outNorm: Float32Array | null;
  /** Rows of gate, then up: one product quantises x once and starts the threads once. */
  readonly gateUp: StoredLinear;
  readonly down: StoredLinear;
}

/**
 * Adds a gated MLP, down(a(gate(x)) * up(x)) with the activation a, without norm and residual. QuickGelu with alpha 1 is SiLU,
 * FastGelu the approximation of GELU by tanh.
 */
export function addMlp(
  nodes: Nodes,
  shared: Initializers,
  { activation }: ModelConfig,
  stored: StoredMlp,
  x: string,
): string {
  const both = addLinear(nodes, shared, stored.gateUp, x, 'gate_up');
  const half = stored.gateUp.rows / 2;
  const [gate, up] = nodes.addMany(
    'Split',
    'gate_up_split',
    [both, shared.int64(`int64:${half},${half}`, [half, half])],
    ['gate', 'up'],
    { axis: { int: 1 } },
  ) as [string, string];
  const activated =
    activation === 'silu'
      ? nodes.add('QuickGelu', 'activated', [gate], { alpha: { float: 1 } })
      : nodes.add('FastGelu', 'activated', [gate]);
  const product = nodes.add('Mul', 'product', [activated, up]);
  return addLinear(nodes, shared, stored.down, product, 'down');
}
