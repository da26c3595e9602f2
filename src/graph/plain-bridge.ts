import type { ModelConfig } from '../checkpoint/model-config.js';
import { elementType, Initializers, Nodes } from './builder.js';
import { matrixInput, productGraph } from './product-graph.js';

/** A bridge without memory by itself: inputs x [., d], W, w0 [1, d]; output x + rmsnorm(x) W + w0. */
export function plainBridgeGraph({ hiddenSize, rmsNormEps }: ModelConfig): Uint8Array {
  const nodes = new Nodes('');
  const shared = new Initializers();
  const ones = new Float32Array(hiddenSize).fill(1);
  const norm = shared.inline('ones', elementType.float, [hiddenSize], ones);
  const normed = nodes.add('SimplifiedLayerNormalization', 'normed', ['x', norm], {
    axis: { int: -1 },
    epsilon: { float: rmsNormEps },
  });
  const mapped = nodes.add('MatMul', 'mapped', [normed, 'weight']);
  const moved = nodes.add('Add', 'moved', [mapped, 'bias']);
  const sum = nodes.add('Add', 'sum', ['x', moved]);
  return productGraph(
    nodes,
    shared,
    [
      matrixInput('x', 'positions', hiddenSize),
      matrixInput('weight', hiddenSize, hiddenSize),
      matrixInput('bias', 1, hiddenSize),
    ],
    [sum],
  );
}
