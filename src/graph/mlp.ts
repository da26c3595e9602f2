import type { Initializers, Nodes } from './builder.js';
import { addLinear, type StoredLinear } from './linear.js';

/** Weights of one MLP sublayer in the external data. */
export interface StoredMlp {
  readonly norm: Float32Array;
  readonly gate: StoredLinear;
  readonly up: StoredLinear;
  readonly down: StoredLinear;
}

/** Adds SwiGLU, down(silu(gate(x)) * up(x)), without norm and residual. QuickGelu with alpha 1 is SiLU. */
export function addMlp(nodes: Nodes, shared: Initializers, stored: StoredMlp, x: string): string {
  const gate = addLinear(nodes, shared, stored.gate, x, 'gate');
  const up = addLinear(nodes, shared, stored.up, x, 'up');
  const silu = nodes.add('QuickGelu', 'silu', [gate], { alpha: { float: 1 } });
  const product = nodes.add('Mul', 'product', [silu, up]);
  return addLinear(nodes, shared, stored.down, product, 'down');
}
