/**
 * The products of a ridge regression of one hidden state on another, as two small graphs: they are most of its work.
 *
 * | symbol | shape  | meaning                                                        |
 * |--------|--------|----------------------------------------------------------------|
 * | n, d   |        | rows; hidden size                                              |
 * | a, b   | [n, d] | hidden states before and after some sublayers                  |
 * | N      | [n, d] | rmsnorm(a), weights 1, its column means taken away             |
 * | Y      | [n, d] | b - a, its column means taken away                             |
 * | G      | [d, d] | N^T N                                                          |
 * | I      | [d, d] | (G + lambda 1)^-1, the caller's                                |
 * | W, w0  | [d, d], [d] | I N^T Y; mean(b - a) - mean(rmsnorm(a)) W: not penalised  |
 *
 * Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2nd edition, equation 3.44.
 */
import { create } from '@bufbuild/protobuf';
import { elementType, Initializers, modelBytes, Nodes, valueInfo } from './builder.js';
import { GraphProtoSchema } from './onnx_pb.js';

/** Input a, output G. */
export function gramGraph(hiddenSize: number, eps: number): Uint8Array {
  const { nodes, shared, normed } = normedStates(hiddenSize, eps);
  const centred = subtractMean(nodes, shared, normed, 'normed').centred;
  const gram = nodes.add('FusedMatMul', 'gram', [centred, centred], { transA: { int: 1 } });
  return model(nodes, shared, [states('a', hiddenSize)], [valueInfo(gram, elementType.float)]);
}

/** Inputs a, b, I; outputs W, w0. */
export function mapGraph(hiddenSize: number, eps: number): Uint8Array {
  const { nodes, shared, normed } = normedStates(hiddenSize, eps);
  const x = subtractMean(nodes, shared, normed, 'normed');
  const change = nodes.add('Sub', 'change', ['b', 'a']);
  const y = subtractMean(nodes, shared, change, 'change');
  const cross = nodes.add('FusedMatMul', 'cross', [x.centred, y.centred], { transA: { int: 1 } });
  const weight = nodes.add('MatMul', 'weight', ['inverse', cross]);
  const mapped = nodes.add('MatMul', 'mapped_mean', [x.mean, weight]);
  const bias = nodes.add('Sub', 'bias', [y.mean, mapped]);
  return model(
    nodes,
    shared,
    [
      states('a', hiddenSize),
      states('b', hiddenSize),
      valueInfo('inverse', elementType.float, [hiddenSize, hiddenSize]),
    ],
    [weight, bias].map((name) => valueInfo(name, elementType.float)),
  );
}

function normedStates(hiddenSize: number, eps: number) {
  const nodes = new Nodes('');
  const shared = new Initializers();
  const ones = new Float32Array(hiddenSize).fill(1);
  const weight = shared.inline('ones', elementType.float, [hiddenSize], ones);
  const normed = nodes.add('SimplifiedLayerNormalization', 'normed', ['a', weight], {
    axis: { int: -1 },
    epsilon: { float: eps },
  });
  return { nodes, shared, normed };
}

function subtractMean(nodes: Nodes, shared: Initializers, x: string, label: string) {
  const mean = nodes.add('ReduceMean', `${label}_mean`, [x, shared.int64('rows', [0])], {
    keepdims: { int: 1 },
  });
  return { mean, centred: nodes.add('Sub', `${label}_centred`, [x, mean]) };
}

function states(name: string, hiddenSize: number) {
  return valueInfo(name, elementType.float, ['rows', hiddenSize]);
}

function model(
  nodes: Nodes,
  shared: Initializers,
  input: ReturnType<typeof valueInfo>[],
  output: ReturnType<typeof valueInfo>[],
): Uint8Array {
  const graph = create(GraphProtoSchema, {
    name: 'ridge',
    node: nodes.list,
    initializer: shared.list,
    input,
    output,
  });
  return modelBytes(graph);
}
