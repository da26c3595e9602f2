import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlockProducts } from '../../../src/engine/block-products.js';
import { inverseFactor } from '../../../src/search/bridges/inverse-factor.js';
import { normals } from '../../helpers/random.js';

let products: BlockProducts;
beforeAll(async () => {
  products = await BlockProducts.load(1, 'cpu');
});
afterAll(() => products.close());

/** X^T X over the rows of X: some features far larger than others, as hidden states have them. */
function gramOf(rows: number, size: number, seed: number): Float32Array {
  const x = normals(rows * size, seed, 1);
  const gram = new Float32Array(size * size);
  const scale = (feature: number) => (feature % 17 === 3 ? 10 : 1);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += x[row * size + i]! * x[row * size + j]!;
      gram[i * size + j] = gram[j * size + i] = (sum * scale(i) * scale(j)) / rows;
    }
  return gram;
}

describe('the inverse of a factor by blocks', () => {
  it('has its square times the matrix the identity, whatever the size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        // Fewer rows than columns too: then only the jitter makes the matrix positive definite.
        fc.integer({ min: 1, max: 400 }),
        fc.nat(),
        async (size, rows, seed) => {
          const matrix = gramOf(rows, size, seed);
          const jitter = 0.1;
          const factor = await inverseFactor(matrix, size, jitter, products);
          expect(factor).toHaveLength(size * size);
          // Single precision: some 1e-7 for every 1 of the condition number, of which the trace is a bound.
          let condition = 1;
          for (let i = 0; i < size; i++) condition += matrix[i * size + i]! / jitter;
          const at = (i: number, j: number) => factor[i * size + j]!;
          for (let j = 0; j < size; j += 7) {
            // Column j of the inverse, then of its product with the matrix.
            const column = new Float64Array(size);
            for (let k = j; k < size; k++)
              for (let i = 0; i <= k; i++) column[i]! += at(k, i) * at(k, j);
            for (let i = 0; i < size; i++) {
              let sum = jitter * column[i]!;
              for (let k = 0; k < size; k++) sum += matrix[i * size + k]! * column[k]!;
              expect(Math.abs(sum - Number(i === j))).toBeLessThan(1e-6 * condition);
              if (i < j) expect(at(i, j)).toBe(0);
            }
          }
        },
      ),
      {
        numRuns: 25,
        examples: [
          [96, 200, 1],
          [97, 200, 1],
          [193, 200, 1],
        ],
      },
    );
  });

  it.each([5, 200])('tells a matrix of %i rows that is not positive definite', async (size) => {
    const matrix = gramOf(400, size, 1);
    matrix[size * size - 1] = -1;
    await expect(inverseFactor(matrix, size, 0.1, products)).rejects.toThrow(
      'not positive definite',
    );
  });
});
