/**
 * A compiled int8 model's plain graph with products of integers where it has blocks: o and down, whose inputs are not normal (docs/integer-products.md).
 * Each row is divided by its root mean square and rounded to a constant step, and multiplied by it after the product:
 *
 *     x -> [H] -> rmsnorm -> round -> integers -> times the row's rms
 *
 * | symbol | shape    | meaning                                                                                         |
 * |--------|----------|-------------------------------------------------------------------------------------------------|
 * | x      | [S, K]   | what o or down multiplies                                                                       |
 * | H      | [h, h]   | Hadamard matrix over sqrt h, on every h features of what down multiplies; for o, whose heads can |
 * |        |          | be rotated by the weights of v and o, there is nothing to do                                     |
 *
 * Weights are random: this tells what passes take, not what they say.
 */
import { linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { elementType, Initializers, Nodes } from '../../src/graph/builder.js';
import type { CompiledModel } from '../../src/graph/compile.js';
import { ModelProtoSchema, type NodeProto } from '../../src/graph/onnx_pb.js';

const mostFeatures = 128;
/** Rows reach to so many times their root mean square. */
const reach = 6;
/** Keeps the runtime from its kernel for single rows, as in graph/attention.ts. */
const almostOne = 1 - 2 ** -24;
const weightsFile = 'row-weights.bin';

/**
 * Writes the graph beside a link to the model's weights.
 * @param folder on the same disk as the model; made.
 * @returns the model, with that graph in the place of its own.
 */
export function withRowProducts(model: CompiledModel, folder: string): CompiledModel {
  const { plainPath } = model;
  mkdirSync(folder, { recursive: true });
  linkSync(join(dirname(plainPath), 'weights.bin'), join(folder, 'weights.bin'));
  const proto = fromBinary(ModelProtoSchema, readFileSync(plainPath));
  const graph = proto.graph!;
  const shared = new Initializers();
  const sizes = graph.node
    .filter(isBlockProduct)
    .map((node) => sizeOf(node, 'K') * sizeOf(node, 'N'));
  if (sizes.length === 0)
    throw new TypeError(`${plainPath} has no products with blocks in its layers`);
  const bytes = Uint8Array.from({ length: Math.max(...sizes) }, (_, i) => (i * 2654435761) >>> 13);
  const stored: Uint8Array[] = [];
  let offset = 0;
  graph.node = graph.node.flatMap((node) => {
    if (!isBlockProduct(node)) return [node];
    const length = sizeOf(node, 'K') * sizeOf(node, 'N');
    stored.push(bytes.subarray(0, length));
    offset += length;
    return rowProduct(node, shared, { file: weightsFile, offset: offset - length, length });
  });
  graph.initializer.push(...shared.list);
  writeFileSync(join(folder, weightsFile), Buffer.concat(stored));
  const path = join(folder, 'plain.onnx');
  writeFileSync(path, toBinary(ModelProtoSchema, proto));
  return { ...model, plainPath: path };
}

/** Products with weights in blocks, of attended values and in MLPs. */
function isBlockProduct({ opType, name }: NodeProto): boolean {
  return opType === 'MatMulNBits' && /\.(attention\.o|mlp\.down):/.test(name);
}

function sizeOf({ attribute }: NodeProto, name: 'K' | 'N'): number {
  return Number(attribute.find((one) => one.name === name)!.i);
}

function rowProduct(
  node: NodeProto,
  shared: Initializers,
  range: { file: string; offset: number; length: number },
): NodeProto[] {
  const [K, N] = [sizeOf(node, 'K'), sizeOf(node, 'N')];
  const scope = `${node.name.split(':')[0]}.`;
  const nodes = new Nodes(scope);
  const [x, ...others] = node.input;
  if (others[4])
    throw new TypeError(`${node.name} has a bias, which this experiment does not handle`);
  const even = scope.includes('.down') ? rotated(nodes, shared, x!, K) : x!;
  const ones = shared.inline(`ones:${K}`, elementType.float, [K], new Float32Array(K).fill(1));
  const [unit, inverse] = nodes.addMany(
    'SimplifiedLayerNormalization',
    'unit',
    [even, ones],
    ['unit', 'inverse'],
    { axis: { int: -1 }, epsilon: { float: 1e-9 }, stash_type: { int: 1 } },
  ) as [string, string];
  const step = shared.inline('row_step', elementType.float, [], Float32Array.of(reach / 127));
  const zero = shared.inline('row_zero', elementType.uint8, [], Uint8Array.of(128));
  const rounded = nodes.add('QuantizeLinear', 'rounded', [unit, step, zero]);
  const weight = shared.external(`${scope}weight`, elementType.int8, [K, N], range);
  const scale = new Float32Array(N).fill(1e-4);
  const scales = shared.inline(`${scope}scales`, elementType.float, [N], scale);
  const product = nodes.add('MatMulIntegerToFloat', 'product', [
    rounded,
    weight,
    step,
    scales,
    zero,
  ]);
  nodes.add('Div', 'result', [product, inverse]);
  nodes.list.at(-1)!.output = [...node.output];
  return nodes.list;
}

function rotated(nodes: Nodes, shared: Initializers, x: string, K: number): string {
  const h = Math.min(mostFeatures, K & -K);
  const hadamard = Float32Array.from({ length: h * h }, (_, at) => {
    const common = Math.floor(at / h) & (at % h);
    const isOdd = common.toString(2).replaceAll('0', '').length % 2 === 1;
    return (isOdd ? -1 : 1) / Math.sqrt(h);
  });
  const matrix = shared.inline(`hadamard:${h}`, elementType.float, [h, h], hadamard);
  const shape = (dims: number[]) => shared.int64(`int64:${dims.join(',')}`, dims);
  const parts = nodes.add('Reshape', 'parts', [x, shape([-1, K / h, h])]);
  const mixed = nodes.add('FusedMatMul', 'mixed', [parts, matrix], { alpha: { float: almostOne } });
  return nodes.add('Reshape', 'even', [mixed, shape([-1, K])]);
}
