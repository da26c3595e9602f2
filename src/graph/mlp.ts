import type { Initializers, Nodes } from './builder.js';
import { addLinear, type StoredLinear } from './linear.js';

/** Weights of one MLP sublayer in the external data. */
export interface StoredMlp {
  readonly norm: Float32Array;
  /** Rows of gate, then up: one product quantises x once and starts the threads once. */
  readonly gateUp: StoredLinear;
  readonly down: StoredLinear;
}

/** Adds SwiGLU, down(silu(gate(x)) * up(x)), without norm and residual. QuickGelu with alpha 1 is SiLU. */
export function addMlp(nodes: Nodes, shared: Initializers, stored: StoredMlp, x: string): string {
  const both = addLinear(nodes, shared, stored.gateUp, x, 'gate_up');
  const half = stored.gateUp.rows / 2;
  const [gate, up] = nodes.addMany(
    'Split',
    'gate_up_split',
    [both, shared.int64(`int64:${half},${half}`, [half, half])],
    ['gate', 'up'],
    { axis: { int: 1 } },
  ) as [string, string];
  const silu = nodes.add('QuickGelu', 'silu', [gate], { alpha: { float: 1 } });
  const product = nodes.add('Mul', 'product', [silu, up]);
  return addLinear(nodes, shared, stored.down, product, 'down');
}
