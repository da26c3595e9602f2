import { create } from '@bufbuild/protobuf';
import {
  type Dimension,
  elementType,
  type Initializers,
  modelBytes,
  type Nodes,
  valueInfo,
} from './builder.js';
import { GraphProtoSchema, type ValueInfoProto } from './onnx_pb.js';

/** A float matrix that a graph is given; dimensions by name are free. */
export function matrixInput(name: string, rows: Dimension, columns: Dimension): ValueInfoProto {
  return valueInfo(name, elementType.float, [rows, columns]);
}

/** A graph of float products, as the bytes of a model. */
export function productGraph(
  { list: node }: Nodes,
  { list: initializer }: Initializers,
  input: ValueInfoProto[],
  outputs: readonly string[],
): Uint8Array {
  const output = outputs.map((name) => valueInfo(name, elementType.float));
  return modelBytes(
    create(GraphProtoSchema, { name: 'products', node, initializer, input, output }),
  );
}
