/**
 * A rotation of the hidden states, folded into the weights: the model stays the same function, but no feature of a state is an
 * outlier any more, so that one step of 8 bits fits all features of all tokens (QuaRot, Ashkboos et al. 2024, arXiv 2404.00456,
 * section 4; SliceGPT, Ashkboos et al. 2024, section 3.2, on why an RMSNorm without weights commutes with it).
 *
 * | symbol | shape  | meaning                                                                     |
 * |--------|--------|-----------------------------------------------------------------------------|
 * | d      |        | hidden size, m k with k its largest power of two and m odd                  |
 * | x      | [d]    | a hidden state, a row; the rotated model has x Q                            |
 * | Q      | [d, d] | S (C ⊗ H), orthogonal                                                       |
 * | S      | [d]    | random signs, on the diagonal                                               |
 * | C      | [m, m] | the orthonormal cosine transform of m values (DCT-II), transposed           |
 * | H      | [k, k] | Sylvester's Hadamard matrix over sqrt k                                     |
 * | g      | [d]    | weights of a norm                                                           |
 *
 * A product W of a normed state becomes W diag(g) Q, its norm without weights; one whose result is added to the state, Q^T W.
 */
import type { ModelConfig } from '../checkpoint/model-config.js';
import { Random } from '../random.js';
import type { Precision } from './quantise.js';

/** From the checkpoint's states to the rotated ones, or back. */
type Way = 'there' | 'back';

/** Columns that are rotated at a time: a cache line of floats. */
const tileColumns = 16;

/** Q of a hidden size, applied without ever being written out: in d (log k + m) steps a row. */
export class Rotation {
  private readonly k: number;
  private readonly m: number;
  /** +1 or -1, over sqrt k. */
  private readonly signs: Float32Array;
  /** C, rows by input. */
  private readonly cosines: Float32Array;

  /** @param size d. */
  constructor(readonly size: number) {
    this.k = size & -size;
    this.m = size / this.k;
    const { m, k } = this;
    const random = new Random(size);
    this.signs = Float32Array.from(
      { length: size },
      () => (random.next32() & 1 ? 1 : -1) / Math.sqrt(k),
    );
    this.cosines = Float32Array.from({ length: m * m }, (_, at) => {
      const [input, output] = [Math.floor(at / m), at % m];
      const scale = Math.sqrt((output === 0 ? 1 : 2) / m);
      return scale * Math.cos((Math.PI * (input + 0.5) * output) / m);
    });
  }

  /** Every row x of a matrix [rows, d] becomes x Q, or x Q^T on the way back, in place. */
  rows(matrix: Float32Array, way: Way = 'there'): void {
    const scratch = new Float32Array(this.size);
    for (let at = 0; at < matrix.length; at += this.size) {
      const row = matrix.subarray(at, at + this.size);
      if (way === 'there') {
        multiply(row, this.signs);
        this.hadamard(row);
        this.cosine(row, scratch, way);
      } else {
        this.cosine(row, scratch, way);
        this.hadamard(row);
        multiply(row, this.signs);
      }
    }
  }

  /** A matrix W [d, columns] becomes Q^T W, or Q W on the way back, in place. */
  columns(matrix: Float32Array, way: Way = 'there'): void {
    const columns = matrix.length / this.size;
    const tile = new Float32Array(Math.min(tileColumns, columns) * this.size);
    for (let first = 0; first < columns; first += tileColumns) {
      const count = Math.min(tileColumns, columns - first);
      const part = tile.subarray(0, count * this.size);
      for (let row = 0; row < this.size; row++)
        for (let i = 0; i < count; i++)
          part[i * this.size + row] = matrix[row * columns + first + i]!;
      this.rows(part, way);
      for (let row = 0; row < this.size; row++)
        for (let i = 0; i < count; i++)
          matrix[row * columns + first + i] = part[i * this.size + row]!;
    }
  }

  /** H times sqrt k, on each of m pieces of k values. */
  private hadamard(row: Float32Array): void {
    const { k, size } = this;
    let half = 1;
    // Two steps in one where there are two: half as many loads and stores.
    for (; 4 * half <= k; half *= 4)
      for (let block = 0; block < size; block += 4 * half)
        for (let i = block; i < block + half; i++) {
          const a = row[i]!;
          const b = row[i + half]!;
          const c = row[i + 2 * half]!;
          const d = row[i + 3 * half]!;
          row[i] = a + b + (c + d);
          row[i + half] = a - b + (c - d);
          row[i + 2 * half] = a + b - (c + d);
          row[i + 3 * half] = a - b - (c - d);
        }
    for (; half < k; half *= 2)
      for (let block = 0; block < size; block += 2 * half)
        for (let i = block; i < block + half; i++) {
          const a = row[i]!;
          const b = row[i + half]!;
          row[i] = a + b;
          row[i + half] = a - b;
        }
  }

  /** C, or its transpose, across the m pieces. */
  private cosine(row: Float32Array, scratch: Float32Array, way: Way): void {
    const { k, m, size, cosines } = this;
    if (m === 1) return;
    const step = way === 'there' ? m : 1;
    scratch.set(row);
    for (let output = 0; output < m; output++) {
      const first = way === 'there' ? output : output * m;
      for (let i = 0; i < k; i++) {
        let sum = 0;
        for (let from = i, at = first; from < size; from += k, at += step)
          sum += cosines[at]! * scratch[from]!;
        row[output * k + i] = sum;
      }
    }
  }
}

/**
 * The rotation of a compiled model's hidden states; null where they are the checkpoint's own. A norm after a sublayer has weights
 * of its own on what is added to the state, which no rotation can pass.
 */
export function rotationOf(
  { norms, hiddenSize }: ModelConfig,
  precision: Precision,
): Rotation | null {
  return precision === 'int8' && norms === 'before' ? new Rotation(hiddenSize) : null;
}

function multiply(row: Float32Array, factors: Float32Array): void {
  for (let i = 0; i < row.length; i++) row[i]! *= factors[i]!;
}
