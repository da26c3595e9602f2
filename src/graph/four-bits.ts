/**
 * Weights of 4 bits for drafts of int8 models: what a draft costs is mostly reading its weights, and what it says is only a guess.
 * They lie beside the model's own in its file. Blocks are longer than those of int4 models, and products of them faster.
 */

import { Nodes } from './builder.js';
import type { GraphProto, NodeProto } from './onnx_pb.js';
import type { GraphChange } from './transform.js';

/** Columns that share a scale. */
export const fourBitBlock = 64;

/** The name of a matrix's weights for drafts. */
export function fourBitName(matrix: string): string {
  return `${matrix}.draft`;
}

/** Lets all products of layers that have weights of 4 bits multiply with those, also within gates. */
export const fourBitProducts: GraphChange = (graph) => {
  const sizes = new Map<string, readonly [rows: number, columns: number]>();
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  for (const [name, { dims }] of tensors) {
    // Weights of integers are [columns, rows].
    if (tensors.has(`${fourBitName(name)}.packed`))
      sizes.set(name, [Number(dims[1]), Number(dims[0])]);
  }
  replaceProducts(graph, (product) => {
    const matrix = product.input[1]?.replace(/\.packed$/, '') ?? '';
    const name = fourBitName(matrix);
    if (!tensors.has(`${name}.packed`)) return null;
    return {
      name,
      size: sizes.get(matrix) ?? [attributeOf(product, 'N'), attributeOf(product, 'K')],
    };
  });
};

interface FourBits {
  readonly name: string;
  readonly size: readonly [rows: number, columns: number];
}

function replaceProducts(graph: GraphProto, find: (product: NodeProto) => FourBits | null): void {
  const nodes: NodeProto[] = [];
  const rounded = new Map<string, NodeProto>();
  for (const node of graph.node) {
    for (const { g } of node.attribute) if (g) replaceProducts(g, find);
    if (node.opType === 'QuantizeLinear') rounded.set(node.output[0]!, node);
    const found = isProduct(node) ? find(node) : null;
    if (found === null) {
      nodes.push(node);
      continue;
    }
    const rounding = rounded.get(node.input[0]!);
    if (rounding) nodes.splice(nodes.indexOf(rounding), 1);
    const bias = node.input[rounding ? 6 : 5] ?? '';
    nodes.push(product(found, rounding?.input[0] ?? node.input[0]!, bias, node.output[0]!));
  }
  graph.node = nodes;
}

function isProduct({ opType }: NodeProto): boolean {
  return opType === 'MatMulIntegerToFloat' || opType === 'MatMulNBits';
}

function product(
  { name, size: [N, K] }: FourBits,
  x: string,
  bias: string,
  output: string,
): NodeProto {
  const nodes = new Nodes('');
  const inputs = [x, `${name}.packed`, `${name}.scales`];
  nodes.add('MatMulNBits', output, bias ? [...inputs, '', '', bias] : inputs, {
    ...{ K: { int: K }, N: { int: N }, bits: { int: 4 }, block_size: { int: fourBitBlock } },
    accuracy_level: { int: 4 },
  });
  return nodes.list[0]!;
}

function attributeOf({ attribute }: NodeProto, name: string): number {
  return Number(attribute.find((one) => one.name === name)!.i);
}
