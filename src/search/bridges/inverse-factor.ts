import type { BlockProducts } from '../../engine/block-products.js';
import { Cholesky } from '../../optimise/gp/cholesky.js';

/** Rows of a matrix that is factored here, in double precision; larger ones are cut in two. */
const LEAF = 96;

/**
 * The inverse K of the lower Cholesky factor of A + jitter 1, symmetric and positive definite: K^T K = (A + jitter 1)^-1. By blocks,
 * so that nearly all of its work is products (graph/block-inverse.ts).
 * @param matrix A, [size, size].
 * @returns [size, size], zeros above the diagonal.
 * @throws TypeError where the matrix is not positive definite to working precision.
 */
export async function inverseFactor(
  matrix: Float32Array,
  size: number,
  jitter: number,
  products: BlockProducts,
): Promise<Float32Array> {
  if (size <= LEAF) return smallFactor(matrix, size, jitter);
  const half = size >> 1;
  const rest = size - half;
  const head = await inverseFactor(blockOf(matrix, size, 0, 0, half, half), half, jitter, products);
  const { mapped, complement } = await products.complement(
    head,
    blockOf(matrix, size, 0, half, half, rest),
    blockOf(matrix, size, half, half, rest, rest),
  );
  // The jitter of the whole is, in the complement, one of its own.
  const corner = await inverseFactor(complement, rest, jitter, products);
  const below = await products.below(head, mapped, corner);
  const factor = new Float32Array(size * size);
  for (let row = 0; row < half; row++)
    factor.set(head.subarray(row * half, (row + 1) * half), row * size);
  for (let row = 0; row < rest; row++) {
    const at = (half + row) * size;
    factor.set(below.subarray(row * half, (row + 1) * half), at);
    factor.set(corner.subarray(row * rest, (row + 1) * rest), at + half);
  }
  return factor;
}

function smallFactor(matrix: Float32Array, size: number, jitter: number): Float32Array {
  const cholesky = new Cholesky(size, jitter);
  for (let row = 0; row < size; row++) {
    const part = Float64Array.from(matrix.subarray(row * size, row * size + row + 1));
    if (!cholesky.append(part)) throw new TypeError('the matrix is not positive definite');
  }
  const factor = new Float32Array(size * size);
  const column = new Float64Array(size);
  for (let unit = 0; unit < size; unit++) {
    column.fill(0)[unit] = 1;
    cholesky.solveLower(column);
    for (let row = unit; row < size; row++) factor[row * size + unit] = column[row]!;
  }
  return factor;
}

/** A copy of some rows and columns of a square matrix. */
function blockOf(
  matrix: Float32Array,
  size: number,
  firstRow: number,
  firstColumn: number,
  rows: number,
  columns: number,
): Float32Array {
  const block = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const at = (firstRow + row) * size + firstColumn;
    block.set(matrix.subarray(at, at + columns), row * columns);
  }
  return block;
}
