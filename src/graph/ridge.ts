/**
 * The products of a ridge regression of one hidden state on another, and on a memory beside it, as small graphs: they are most of
 * its work.
 *
 * | symbol | shape   | meaning                                                                     |
 * |--------|---------|-----------------------------------------------------------------------------|
 * | d      |         | hidden size                                                                 |
 * | a, b   | [., d]  | hidden states before and after some sublayers                               |
 * | rows   | [n]     | the rows of a and b that maps are fitted to                                 |
 * | past   | [n]     | for each of these the row of b that its position before has                 |
 * | N      | [n, d]  | rmsnorm(a) at the rows, weights 1, its column means taken away              |
 * | M      | [n, d]  | rmsnorm(b) at the past rows, likewise                                       |
 * | Y      | [n, d]  | b - a at the rows, its column means taken away                              |
 * | G      | [d, d]  | N^T N                                                                       |
 * | K      | [d, d]  | the caller's: K^T K = (G + lambda 1)^-1 (block-inverse.ts)                  |
 * | W, w0  | [d, d], [d] | K^T K N^T Y; mean(b - a) - mean(rmsnorm(a)) W: not penalised            |
 *
 * Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2nd edition, equation 3.44.
 *
 * With a memory the features are N and M side by side. That is one level more of the factor by blocks, solved without ever being
 * put together: with V = K N^T M, P = K N^T Y and K_S of the Schur complement S + lambda 1, S = M^T M - V^T V,
 *
 *   U = K_S^T K_S (M^T Y - V^T P),   W = K^T (P - V U),   w0 = mean(b - a) - mean(rmsnorm(a)) W - mean(rmsnorm(b)) U
 */
import { elementType, Initializers, Nodes, valueInfo } from './builder.js';
import { matrixInput, productGraph } from './product-graph.js';

/** Inputs a, rows; output G. */
export function gramGraph(hiddenSize: number, eps: number): Uint8Array {
  const { nodes, shared, centredNorm, transposed } = regression(hiddenSize, eps);
  const { centred } = centredNorm(nodes.add('Gather', 'before', ['a', 'rows']), 'n');
  const gram = transposed('gram', centred, centred);
  return productGraph(nodes, shared, [states('a', hiddenSize), indices('rows')], [gram]);
}

/** Inputs a, b, rows, K; outputs W, w0. */
export function mapGraph(hiddenSize: number, eps: number): Uint8Array {
  const { nodes, shared, featuresAndChange, transposed } = regression(hiddenSize, eps);
  const { n, y } = featuresAndChange();
  const target = nodes.add('MatMul', 'target', [
    'factor',
    transposed('cross', n.centred, y.centred),
  ]);
  const weight = transposed('weight', 'factor', target);
  const mapped = nodes.add('MatMul', 'mapped_mean', [n.mean, weight]);
  const bias = nodes.add('Sub', 'bias', [y.mean, mapped]);
  return productGraph(
    nodes,
    shared,
    [
      states('a', hiddenSize),
      states('b', hiddenSize),
      indices('rows'),
      matrixInput('factor', hiddenSize, hiddenSize),
    ],
    [weight, bias],
  );
}

/** Inputs a, b, rows, past, K; outputs S, V, P, M^T Y - V^T P and the means of rmsnorm(a), rmsnorm(b) and b - a. */
export function memoryGraph(hiddenSize: number, eps: number): Uint8Array {
  const { nodes, shared, centredNorm, featuresAndChange, transposed } = regression(hiddenSize, eps);
  const { n, y } = featuresAndChange();
  const m = centredNorm(nodes.add('Gather', 'far_before', ['b', 'past']), 'm');
  const solved = (label: string, columns: string) =>
    nodes.add('MatMul', label, ['factor', transposed(`${label}_cross`, n.centred, columns)]);
  const mapped = solved('mapped', m.centred);
  const target = solved('target', y.centred);
  /** Products of the memory, less what the features of a tell of them. */
  const left = (label: string, columns: string, told: string) => {
    const all = transposed(`${label}_all`, m.centred, columns);
    return nodes.add('Sub', label, [all, transposed(`${label}_told`, mapped, told)]);
  };
  const complement = left('complement', m.centred, mapped);
  const residual = left('residual', y.centred, target);
  return productGraph(
    nodes,
    shared,
    [
      states('a', hiddenSize),
      states('b', hiddenSize),
      indices('rows'),
      indices('past'),
      matrixInput('factor', hiddenSize, hiddenSize),
    ],
    [complement, mapped, target, residual, n.mean, m.mean, y.mean],
  );
}

/** Inputs K, K_S and what {@link memoryGraph} returns but S; outputs W, U, w0. */
export function memoryMapGraph(hiddenSize: number): Uint8Array {
  const nodes = new Nodes('');
  const transposed = (label: string, left: string, right: string) =>
    nodes.add('FusedMatMul', label, [left, right], { transA: { int: 1 } });
  const less = (label: string, from: string, left: string, right: string) =>
    nodes.add('Sub', label, [from, nodes.add('MatMul', `${label}_told`, [left, right])]);
  const half = nodes.add('MatMul', 'half', ['corner', 'residual']);
  const memory = transposed('memory', 'corner', half);
  const weight = transposed('weight', 'factor', less('left', 'target', 'mapped', memory));
  const bias = less('bias', less('change', 'change_mean', 'mean', weight), 'memory_mean', memory);
  const square = ['factor', 'corner', 'mapped', 'target', 'residual'];
  const means = ['mean', 'memory_mean', 'change_mean'];
  return productGraph(
    nodes,
    new Initializers(),
    [
      ...square.map((name) => matrixInput(name, hiddenSize, hiddenSize)),
      ...means.map((name) => matrixInput(name, 1, hiddenSize)),
    ],
    [weight, memory, bias],
  );
}

function regression(hiddenSize: number, eps: number) {
  const nodes = new Nodes('');
  const shared = new Initializers();
  const ones = new Float32Array(hiddenSize).fill(1);
  const weight = shared.inline('ones', elementType.float, [hiddenSize], ones);
  const centre = (x: string, label: string) => {
    const mean = nodes.add('ReduceMean', `${label}_mean`, [x, shared.int64('columns', [0])], {
      keepdims: { int: 1 },
    });
    return { mean, centred: nodes.add('Sub', `${label}_centred`, [x, mean]) };
  };
  const centredNorm = (x: string, label: string) => {
    const normed = nodes.add('SimplifiedLayerNormalization', `${label}_normed`, [x, weight], {
      axis: { int: -1 },
      epsilon: { float: eps },
    });
    return centre(normed, label);
  };
  return {
    nodes,
    shared,
    centredNorm,
    featuresAndChange() {
      const [before, after] = ['a', 'b'].map((x) => nodes.add('Gather', `${x}_rows`, [x, 'rows']));
      const change = nodes.add('Sub', 'change', [after!, before!]);
      return { n: centredNorm(before!, 'n'), y: centre(change, 'y') };
    },
    transposed: (label: string, left: string, right: string) =>
      nodes.add('FusedMatMul', label, [left, right], { transA: { int: 1 } }),
  };
}

function states(name: string, hiddenSize: number) {
  return matrixInput(name, `${name}_states`, hiddenSize);
}

function indices(name: string) {
  return valueInfo(name, elementType.int64, ['fitted']);
}
