/** What bridges make of hidden states, as graphs of their own (symbols of bridge.ts). */
import type { ModelConfig } from '../checkpoint/model-config.js';
import { addUnitNorm } from './bridge.js';
import { Initializers, Nodes } from './builder.js';
import { matrixInput, productGraph } from './product-graph.js';

/** Inputs `x` [S, d], `weight` W and `bias` w0 [1, d] of a bridge without memory; output y. */
export function bridgeMapGraph(config: ModelConfig): Uint8Array {
  const { nodes, shared, inputs, mapped } = mapOf(config);
  const sum = nodes.add('Add', 'sum', ['x', mapped]);
  return productGraph(nodes, shared, inputs, [sum]);
}

/** The same of a bridge with memory: also `memory`, rmsnorm(m), and `memory_weight` U; output rmsnorm(y), the memory of what follows. */
export function memoryBridgeGraph(config: ModelConfig): Uint8Array {
  const { hiddenSize: d } = config;
  const { nodes, shared, inputs, mapped } = mapOf(config);
  const remembered = nodes.add('MatMul', 'remembered', ['memory', 'memory_weight']);
  const moved = nodes.add('Add', 'moved_further', [mapped, remembered]);
  const sum = nodes.add('Add', 'sum', ['x', moved]);
  const output = addUnitNorm(nodes, shared, config, sum, 'output');
  const more = [matrixInput('memory', 'rows', d), matrixInput('memory_weight', d, d)];
  return productGraph(nodes, shared, [...inputs, ...more], [output]);
}

/** rmsnorm(x) W + w0. */
function mapOf(config: ModelConfig) {
  const { hiddenSize: d } = config;
  const nodes = new Nodes('');
  const shared = new Initializers();
  const normed = addUnitNorm(nodes, shared, config, 'x', 'normed');
  const product = nodes.add('MatMul', 'mapped', [normed, 'weight']);
  const mapped = nodes.add('Add', 'moved', [product, 'bias']);
  const inputs = [
    matrixInput('x', 'rows', d),
    matrixInput('weight', d, d),
    matrixInput('bias', 1, d),
  ];
  return { nodes, shared, inputs, mapped };
}
