/**
 * The products in the inverse of a Cholesky factor by blocks, as small graphs of matrices of any size.
 *
 * | symbol  | shape                  | meaning                                                          |
 * |---------|------------------------|------------------------------------------------------------------|
 * | A, C, B | [p, p], [p, q], [q, q] | blocks of a symmetric positive definite matrix (A, C; C^T, B)    |
 * | K_A     | [p, p]                 | inverse of A's lower Cholesky factor: K_A^T K_A = A^-1           |
 * | V       | [p, q]                 | K_A C                                                            |
 * | S       | [q, q]                 | B - V^T V, the Schur complement of A                             |
 *
 *   K = (K_A, 0; -K_S V^T K_A, K_S)
 *
 * The same recursion on inverses, S = B - C^T A^-1 C, has the same products and loses twice as many digits: of 200 features that are
 * nearly one, condition number 2e4, hardly one is left in single precision, by factors three.
 */
import { Initializers, Nodes } from './builder.js';
import { matrixInput, productGraph } from './product-graph.js';

/** Inputs `factor` K_A, `side` C, `corner` B; outputs V, S. */
export function complementGraph(): Uint8Array {
  const nodes = new Nodes('');
  const mapped = nodes.add('MatMul', 'mapped', ['factor', 'side']);
  const explained = nodes.add('FusedMatMul', 'explained', [mapped, mapped], { transA: { int: 1 } });
  const complement = nodes.add('Sub', 'complement', ['corner', explained]);
  return productGraph(
    nodes,
    new Initializers(),
    [
      matrixInput('factor', 'p', 'p'),
      matrixInput('side', 'p', 'q'),
      matrixInput('corner', 'q', 'q'),
    ],
    [mapped, complement],
  );
}

/** Inputs `factor` K_A, `mapped` V, `corner` K_S; output -K_S V^T K_A. */
export function belowGraph(): Uint8Array {
  const nodes = new Nodes('');
  const turned = nodes.add('FusedMatMul', 'turned', ['mapped', 'factor'], { transA: { int: 1 } });
  const below = nodes.add('FusedMatMul', 'below', ['corner', turned], { alpha: { float: -1 } });
  return productGraph(
    nodes,
    new Initializers(),
    [
      matrixInput('factor', 'p', 'p'),
      matrixInput('mapped', 'p', 'q'),
      matrixInput('corner', 'q', 'q'),
    ],
    [below],
  );
}
