import { elementType, type Initializers, type Nodes } from './builder.js';
import { type Precision, quantisationBlock, quantiseRows } from './quantise.js';

/** A map y = x W + b whose weights are at hand, not in a model's file. */
export interface LinearValues {
  /** W, [k, d], rows by input. */
  readonly weight: Float32Array;
  /** b, [d]. */
  readonly bias: Float32Array;
  readonly precision: Precision;
}

/** Adds the product of x [S, k] with weights that the graph itself holds, in 8 bits but for fp32 models; returns its name. */
export function addLinearValues(
  nodes: Nodes,
  shared: Initializers,
  { weight, bias, precision }: LinearValues,
  x: string,
  label: string,
): string {
  const size = bias.length;
  const inputs = weight.length / size;
  const inline = (name: string, type: 1 | 2, dims: number[], data: ArrayBufferView) =>
    shared.inline(`${nodes.scope}${name}`, type, dims, data);
  const b = inline('bias', elementType.float, [size], bias);
  if (precision === 'fp32') {
    const w = inline('weight', elementType.float, [inputs, size], weight);
    return nodes.add('Add', label, [nodes.add('MatMul', `${label}_product`, [x, w]), b]);
  }
  const block = quantisationBlock('int8', size);
  const { packed, scales } = quantiseRows(transposed(weight, size), size, inputs, 8, block);
  const blocks = Math.ceil(inputs / block);
  const w = inline('packed', elementType.uint8, [size, blocks, block], packed);
  const s = inline('scales', elementType.float, [size * blocks], scales);
  return nodes.add('MatMulNBits', label, [x, w, s, '', '', b], {
    K: { int: inputs },
    N: { int: size },
    bits: { int: 8 },
    block_size: { int: block },
    accuracy_level: { int: 4 },
  });
}

/** @param columns of the matrix. */
function transposed(matrix: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  const rows = matrix.length / columns;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = matrix[row * columns + column]!;
  return result;
}
