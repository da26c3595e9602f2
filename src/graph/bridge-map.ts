/**
 * What a bridge with memory makes of hidden states, as a graph of its own (symbols of bridge.ts): inputs x, [S, d], and rmsnorm(m),
 * [S, d]; W, U and w0; output rmsnorm(y), which is the memory of the positions behind.
 */
import { create } from '@bufbuild/protobuf';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { addUnitNorm } from './bridge.js';
import { elementType, Initializers, modelBytes, Nodes, valueInfo } from './builder.js';
import { GraphProtoSchema } from './onnx_pb.js';

export function bridgeMapGraph(config: ModelConfig): Uint8Array {
  const d = config.hiddenSize;
  const nodes = new Nodes('');
  const shared = new Initializers();
  const normed = addUnitNorm(nodes, shared, config, 'x', 'normed');
  const mapped = nodes.add('MatMul', 'mapped', [normed, 'weight']);
  const remembered = nodes.add('MatMul', 'remembered', ['memory', 'memory_weight']);
  const shifted = nodes.add('Add', 'shifted', [mapped, 'bias']);
  const moved = nodes.add('Add', 'moved', [shifted, remembered]);
  const sum = nodes.add('Add', 'sum', ['x', moved]);
  const output = addUnitNorm(nodes, shared, config, sum, 'output');
  const states = (name: string, rows: string | number) =>
    valueInfo(name, elementType.float, [rows, d]);
  return modelBytes(
    create(GraphProtoSchema, {
      name: 'bridge',
      node: nodes.list,
      initializer: shared.list,
      input: [
        states('x', 'rows'),
        states('memory', 'rows'),
        states('weight', d),
        states('memory_weight', d),
        states('bias', 1),
      ],
      output: [states(output, 'rows')],
    }),
  );
}
