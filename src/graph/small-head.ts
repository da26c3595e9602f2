/**
 * A draft's head over fewer words (FR-Spec, Zhao et al. 2025, arXiv 2502.14856, section 4: the words that a language model
 * proposes are mostly frequent ones, and its head is the dearest product of a small draft). Some words are built in; more come
 * with every pass, those of the prompt say, as rows of the whole head that were looked up in it once: looking them up in every pass
 * takes longer than their product.
 *
 * | symbol | shape    | meaning                                                        |
 * |--------|----------|----------------------------------------------------------------|
 * | V, n   |          | words of the vocabulary; words that are built in               |
 * | E      |          | words that come with the pass                                  |
 * | logits | [Q, n+E] | of the words built in, in their order, then of those           |
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { type ExternalRange, elementType, Initializers, Nodes, valueInfo } from './builder.js';
import { addRows, type StoredRows } from './linear.js';
import {
  TensorProto_DataLocation as DataLocation,
  type GraphProto,
  type NodeProto,
  type TensorProto,
} from './onnx_pb.js';
import { type GraphChange, transformGraph } from './transform.js';

/** Inputs of a graph with a small head: rows of further words, [E, hidden], and of heads that have one their bias, [E]. */
export const moreWords = { rows: 'more_rows', bias: 'more_bias' } as const;

/** The input of {@link headRowsGraph}, int64 [E]. */
export const ROW_WORDS = 'words';

/**
 * Narrows the head of a graph to some words, and to those whose rows come as {@link moreWords}. The rows of the former are copied
 * into the graph, quantised as they are.
 * @param words ids, ascending.
 * @param folder where the graph's weights are.
 */
export function smallHead(words: Int32Array, folder: string): GraphChange {
  return (graph, config) => {
    const { tensors, first, last, rounding, stored } = headOf(graph, config);
    const nodes = new Nodes('small_head.');
    const state = (rounding ?? first).input[0]!;
    let more = nodes.add('FusedMatMul', 'product', [state, moreWords.rows], {
      transB: { int: 1 },
    });
    if (stored.bias) more = nodes.add('Add', 'biased', [more, moreWords.bias]);
    const [logits] = last.output as [string];
    last.output = [`${logits}.words`];
    const all = new Nodes('');
    all.add('Concat', logits, [`${logits}.words`, more], { axis: { int: 1 } });
    graph.node.splice(graph.node.indexOf(last) + 1, 0, ...nodes.list, ...all.list);

    for (const tensor of tensors) {
      if (rounding && tensor.name === 'head') keepColumns(tensor, words, folder);
      else keepRows(tensor, words, config.vocabSize, folder);
    }
    for (const attribute of first.attribute)
      if (attribute.name === 'N') attribute.i = BigInt(words.length);
    graph.input.push(valueInfo(moreWords.rows, elementType.float, ['more', config.hiddenSize]));
    if (stored.bias) graph.input.push(valueInfo(moreWords.bias, elementType.float, ['more']));
    graph.output[0] = valueInfo(graph.output[0]!.name, elementType.float, [
      'wanted_rows',
      'columns',
    ]);
  };
}

/** A graph that looks words up in a model's whole head: input {@link ROW_WORDS}; outputs their rows, and their bias where it has one. */
export function headRowsGraph(model: Uint8Array, config: ModelConfig): Uint8Array {
  return transformGraph(model, config, [
    (graph) => {
      const { stored } = headOf(graph, config);
      const nodes = new Nodes('');
      const shared = new Initializers();
      const outputs = [addRows(nodes, shared, stored, ROW_WORDS, 'more', 'rows')];
      if (stored.bias) {
        const bias = shared.external('more.bias', elementType.float, [stored.rows], stored.bias);
        outputs.push(nodes.add('Gather', 'bias', [bias, ROW_WORDS], { axis: { int: 0 } }));
      }
      graph.node = nodes.list;
      graph.initializer = shared.list;
      graph.input = [valueInfo(ROW_WORDS, elementType.int64, ['words'])];
      graph.output = outputs.map((name) => valueInfo(name, elementType.float));
    },
  ]);
}

/** The head of a graph as it is stored, and the first and the last node of its product. */
function headOf(graph: GraphProto, config: ModelConfig) {
  const tensors = graph.initializer.filter(({ name }) => /^head(\.|$)/.test(name));
  const names = new Set(tensors.map(({ name }) => name));
  const products = graph.node.filter(({ input }) => input.some((name) => names.has(name)));
  const [first] = products as [NodeProto];
  const last = products.at(-1)!;
  const rounding = graph.node.find(
    ({ opType, output }) => opType === 'QuantizeLinear' && output[0] === first.input[0],
  );
  const stored = rounding ? storedRows(graph, config) : storedHead(tensors, first, config);
  return { tensors, first, last, rounding, stored };
}

/** The rows of a head that multiplies integers, as `buildModel` has them. */
function storedRows(graph: GraphProto, { vocabSize, hiddenSize }: ModelConfig): StoredRows {
  const tensor = (name: string) => graph.initializer.find((one) => one.name === name)!;
  const packed = tensor('head_rows.packed');
  return {
    ...{ name: 'head_rows', rows: vocabSize, columns: hiddenSize, bias: null, offsets: null },
    ...{ form: 'blocks', precision: 'int8', block: Number(packed.dims[2]) },
    ...{ packed: rangeOf(packed), scales: rangeOf(tensor('head_rows.scales')) },
  };
}

/** The head as `addLinear` had it. */
function storedHead(
  tensors: readonly TensorProto[],
  product: NodeProto,
  { vocabSize: rows, hiddenSize: columns }: ModelConfig,
): StoredRows {
  const range = (name: string): ExternalRange | null => {
    const tensor = tensors.find((one) => one.name === name);
    return tensor ? rangeOf(tensor) : null;
  };
  const common = { name: 'head', rows, columns, bias: range('head.bias') };
  const weight = range('head');
  if (weight) return { ...common, form: 'floats', weight };
  const number = (name: string) =>
    Number(product.attribute.find((attribute) => attribute.name === name)?.i);
  return {
    ...common,
    form: 'blocks',
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
  const rowBytes = rangeOf(tensor).length / vocabulary;
  const rows = new Uint8Array(words.length * rowBytes);
  readPieces(tensor, folder, (read) => {
    for (const [i, word] of words.entries())
      read(rows.subarray(i * rowBytes, (i + 1) * rowBytes), word * rowBytes);
  });
  const [all, ...rest] = tensor.dims;
  putInline(tensor, [(all! / BigInt(vocabulary)) * BigInt(words.length), ...rest], rows);
}

/** The same with some columns of a tensor [d, V] of bytes. */
function keepColumns(tensor: TensorProto, words: Int32Array, folder: string): void {
  const [height, width] = tensor.dims.map(Number) as [number, number];
  const columns = new Uint8Array(height * words.length);
  const row = new Uint8Array(width);
  readPieces(tensor, folder, (read) => {
    for (let y = 0; y < height; y++) {
      read(row, y * width);
      for (const [i, word] of words.entries()) columns[y * words.length + i] = row[word]!;
    }
  });
  putInline(tensor, [BigInt(height), BigInt(words.length)], columns);
}

/** @param use is given a function that fills bytes from an offset in the tensor on. */
function readPieces(
  tensor: TensorProto,
  folder: string,
  use: (read: (into: Uint8Array, offset: number) => void) => void,
): void {
  const { file, offset } = rangeOf(tensor);
  const descriptor = openSync(join(folder, file), 'r');
  try {
    use((into, at) => {
      const read = readSync(descriptor, into, 0, into.length, offset + at);
      if (read < into.length) throw new TypeError(`${file} ends within ${tensor.name}`);
    });
  } finally {
    closeSync(descriptor);
  }
}

function putInline(tensor: TensorProto, dims: bigint[], data: Uint8Array): void {
  tensor.dims = dims;
  tensor.rawData = data;
  tensor.externalData = [];
  tensor.dataLocation = DataLocation.DEFAULT;
}
