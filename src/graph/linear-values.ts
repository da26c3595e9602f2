import { elementType, type Initializers, type Nodes } from './builder.js';
import { type Precision, quantisationBlock, quantiseRows } from './quantise.js';

/** A square map y = x W + b whose weights are at hand, not in a model's file. */
export interface LinearValues {
  /** W, [d, d], rows by input. */
  readonly weight: Float32Array;
  /** b, [d]. */
  readonly bias: Float32Array;
  readonly precision: Precision;
}

/** Adds the product of x [S, d] with weights that the graph itself holds, in 8 bits but for fp32 models; returns its name. */
export function addLinearValues(
  nodes: Nodes,
  shared: Initializers,
  { weight, bias, precision }: LinearValues,
  x: string,
  label: string,
): string {
  const size = bias.length;
  const inline = (name: string, type: 1 | 2, dims: number[], data: ArrayBufferView) =>
    shared.inline(`${nodes.scope}${name}`, type, dims, data);
  const b = inline('bias', elementType.float, [size], bias);
  if (precision === 'fp32') {
    const w = inline('weight', elementType.float, [size, size], weight);
    return nodes.add('Add', label, [nodes.add('MatMul', `${label}_product`, [x, w]), b]);
  }
  const block = quantisationBlock('int8', size);
  const { packed, scales } = quantiseRows(transposed(weight, size), size, size, 8, block);
  const blocks = Math.ceil(size / block);
  const w = inline('packed', elementType.uint8, [size, blocks, block], packed);
  const s = inline('scales', elementType.float, [size * blocks], scales);
  return nodes.add('MatMulNBits', label, [x, w, s, '', '', b], {
    K: { int: size },
    N: { int: size },
    bits: { int: 8 },
    block_size: { int: block },
    accuracy_level: { int: 4 },
  });
}

function transposed(square: Float32Array, size: number): Float32Array {
  const result = new Float32Array(size * size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++)
      result[column * size + row] = square[row * size + column]!;
  return result;
}
