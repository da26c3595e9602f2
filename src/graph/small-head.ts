/**
 * A draft's head over fewer words (FR-Spec, Zhao et al. 2025, arXiv 2502.14856, section 4: the words that a language model
 * proposes are mostly frequent ones, and its head is the dearest product of a small draft). Some words are built in; more are
 * named by an input with every pass, those of the prompt say, whose rows are looked up in the whole head.
 *
 * | symbol | shape    | meaning                                                        |
 * |--------|----------|----------------------------------------------------------------|
 * | V, n   |          | words of the vocabulary; words that are built in               |
 * | E      |          | words that the input names                                     |
 * | logits | [Q, n+E] | of the words built in, in their order, then of those named     |
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { type ExternalRange, elementType, Initializers, Nodes, valueInfo } from './builder.js';
import { addRows, type StoredLinear } from './linear.js';
import {
  TensorProto_DataLocation as DataLocation,
  type NodeProto,
  type TensorProto,
} from './onnx_pb.js';
import { addInitializers, type GraphChange } from './transform.js';

/** The input that names further words, int64 [E]. */
export const MORE_WORDS = 'more_words';

/**
 * Narrows the head of a graph to some words, and to those that {@link MORE_WORDS} names. The rows of the former are copied into
 * the graph, quantised as they are; those of the latter are looked up in the model's file.
 * @param words ids, ascending.
 * @param folder where the graph's weights are.
 */
export function smallHead(words: Int32Array, folder: string): GraphChange {
  return (graph, config) => {
    const tensors = graph.initializer.filter(({ name }) => /^head(\.|$)/.test(name));
    const names = new Set(tensors.map(({ name }) => name));
    const products = graph.node.filter(({ input }) => input.some((name) => names.has(name)));
    const [first] = products as [NodeProto];
    const last = products.at(-1)!;
    const stored = storedHead(tensors, first, config);

    const nodes = new Nodes('small_head.');
    const shared = new Initializers();
    const rows = addRows(nodes, shared, stored, MORE_WORDS, 'more', 'rows');
    let more = nodes.add('FusedMatMul', 'product', [first.input[0]!, rows], {
      transB: { int: 1 },
    });
    if (stored.bias) {
      const bias = shared.external('more.bias', elementType.float, [stored.rows], stored.bias);
      const own = nodes.add('Gather', 'bias', [bias, MORE_WORDS], { axis: { int: 0 } });
      more = nodes.add('Add', 'biased', [more, own]);
    }
    const [logits] = last.output as [string];
    last.output = [`${logits}.words`];
    const all = new Nodes('');
    all.add('Concat', logits, [`${logits}.words`, more], { axis: { int: 1 } });
    graph.node.splice(graph.node.indexOf(last) + 1, 0, ...nodes.list, ...all.list);

    for (const tensor of tensors) keepRows(tensor, words, config.vocabSize, folder);
    for (const attribute of first.attribute)
      if (attribute.name === 'N') attribute.i = BigInt(words.length);
    addInitializers(graph, shared);
    graph.input.push(valueInfo(MORE_WORDS, elementType.int64, ['more']));
    graph.output[0] = valueInfo(graph.output[0]!.name, elementType.float, [
      'wanted_rows',
      'columns',
    ]);
  };
}

/** The head as `addLinear` had it. */
function storedHead(
  tensors: readonly TensorProto[],
  product: NodeProto,
  { vocabSize: rows, hiddenSize: columns }: ModelConfig,
): StoredLinear {
  const range = (name: string): ExternalRange | null => {
    const tensor = tensors.find((one) => one.name === name);
    return tensor ? rangeOf(tensor) : null;
  };
  const common = { name: 'head', rows, columns, bias: range('head.bias') };
  const weight = range('head');
  if (weight) return { ...common, precision: 'fp32', weight };
  const number = (name: string) =>
    Number(product.attribute.find((attribute) => attribute.name === name)?.i);
  return {
    ...common,
    precision: number('bits') === 8 ? 'int8' : 'int4',
    block: number('block_size'),
    packed: range('head.packed')!,
    scales: range('head.scales')!,
    offsets: range('head.offsets'),
  };
}

function rangeOf({ externalData }: TensorProto): ExternalRange {
  const value = (key: string) => externalData.find((entry) => entry.key === key)?.value ?? '';
  return {
    file: value('location'),
    offset: Number(value('offset')),
    length: Number(value('length')),
  };
}

/** Puts some rows of a tensor into the graph, in the tensor's place. */
function keepRows(
  tensor: TensorProto,
  words: Int32Array,
  vocabulary: number,
  folder: string,
): void {
  const { file, offset, length } = rangeOf(tensor);
  const rowBytes = length / vocabulary;
  const rows = new Uint8Array(words.length * rowBytes);
  const descriptor = openSync(join(folder, file), 'r');
  try {
    for (const [i, word] of words.entries()) {
      const read = readSync(descriptor, rows, i * rowBytes, rowBytes, offset + word * rowBytes);
      if (read < rowBytes) throw new TypeError(`${file} ends before the row of word ${word}`);
    }
  } finally {
    closeSync(descriptor);
  }
  const [all, ...rest] = tensor.dims;
  tensor.dims = [(all! / BigInt(vocabulary)) * BigInt(words.length), ...rest];
  tensor.rawData = rows;
  tensor.externalData = [];
  tensor.dataLocation = DataLocation.DEFAULT;
}
