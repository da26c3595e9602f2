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
  /** C and its transpose, [blocks of outputs, m inputs, outputs of the block]; zeros where a block is not full. */
  private readonly cosines: Readonly<Record<Way, Float64Array>>;

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
    const cosine = (input: number, output: number) => {
      const scale = Math.sqrt((output === 0 ? 1 : 2) / m);
      return Math.fround(scale * Math.cos((Math.PI * (input + 0.5) * output) / m));
    };
    this.cosines = {
      there: inBlocks(m, cosine),
      back: inBlocks(m, (input, output) => cosine(output, input)),
    };
  }

  /** Every row x of a matrix [rows, d] becomes x Q, or x Q^T on the way back, in place. */
  rows(matrix: Float32Array, way: Way = 'there'): void {
    const scratch = new Float32Array(this.size);
    for (let at = 0; at < matrix.length; at += this.size)
      this.rotate(matrix.subarray(at, at + this.size), scratch, way);
  }

  /** A matrix W [d, columns] becomes Q^T W, or Q W on the way back, in place. */
  columns(matrix: Float32Array, way: Way = 'there'): void {
    const { size } = this;
    const columns = matrix.length / size;
    const scratch = new Float32Array(Math.min(tileColumns, columns) * size);
    const tile = new Float32Array(scratch.length);
    for (let first = 0; first < columns; first += tileColumns) {
      const count = Math.min(tileColumns, columns - first);
      for (let row = 0, at = first; row < size; row++, at += columns)
        for (let i = 0; i < count; i++) tile[row * count + i] = matrix[at + i]!;
      this.rotate(tile.subarray(0, size * count), scratch, way);
      for (let row = 0, at = first; row < size; row++, at += columns)
        for (let i = 0; i < count; i++) matrix[at + i] = tile[row * count + i]!;
    }
  }

  /** Rotates some vectors that lie side by side, [d, vectors]. */
  private rotate(values: Float32Array, scratch: Float32Array, way: Way): void {
    if (way === 'there') {
      multiply(values, this.signs);
      this.hadamard(values);
      this.cosine(values, scratch, way);
    } else {
      this.cosine(values, scratch, way);
      this.hadamard(values);
      multiply(values, this.signs);
    }
  }

  /** H times sqrt k, on each of m pieces of k values. */
  private hadamard(values: Float32Array): void {
    const vectors = values.length / this.size;
    const piece = this.k * vectors;
    let half = vectors;
    // Two steps in one where there are two: half as many loads and stores.
    for (; 4 * half <= piece; half *= 4)
      for (let block = 0; block < values.length; block += 4 * half)
        for (let i = block; i < block + half; i++) {
          const a = values[i]!;
          const b = values[i + half]!;
          const c = values[i + 2 * half]!;
          const d = values[i + 3 * half]!;
          values[i] = a + b + (c + d);
          values[i + half] = a - b + (c - d);
          values[i + 2 * half] = a + b - (c + d);
          values[i + 3 * half] = a - b - (c - d);
        }
    for (; half < piece; half *= 2)
      for (let block = 0; block < values.length; block += 2 * half)
        for (let i = block; i < block + half; i++) {
          const a = values[i]!;
          const b = values[i + half]!;
          values[i] = a + b;
          values[i + half] = a - b;
        }
  }

  /** C, or its transpose, across the m pieces: some outputs at a time, so that no sum waits for the one before. */
  private cosine(values: Float32Array, scratch: Float32Array, way: Way): void {
    const { m } = this;
    if (m === 1) return;
    const piece = values.length / m;
    const cosines = this.cosines[way];
    scratch.set(values);
    for (let i = 0; i < piece; i++)
      for (let output = 0, at = 0; output < m; output += outputsAtOnce) {
        let a = 0;
        let b = 0;
        let c = 0;
        let d = 0;
        for (let input = 0, from = i; input < m; input++, from += piece, at += outputsAtOnce) {
          const x = scratch[from]!;
          a += cosines[at]! * x;
          b += cosines[at + 1]! * x;
          c += cosines[at + 2]! * x;
          d += cosines[at + 3]! * x;
        }
        const to = output * piece + i;
        values[to] = a;
        if (output + 1 < m) values[to + piece] = b;
        if (output + 2 < m) values[to + 2 * piece] = c;
        if (output + 3 < m) values[to + 3 * piece] = d;
      }
  }
}

/** Sums that `cosine` has at once. */
const outputsAtOnce = 4;

/** The values of an [m, m] matrix in the order in which `cosine` reads them. */
function inBlocks(m: number, value: (input: number, output: number) => number): Float64Array {
  const blocks = Math.ceil(m / outputsAtOnce);
  return Float64Array.from({ length: blocks * m * outputsAtOnce }, (_, at) => {
    const input = Math.floor(at / outputsAtOnce) % m;
    const output = Math.floor(at / (outputsAtOnce * m)) * outputsAtOnce + (at % outputsAtOnce);
    return output < m ? value(input, output) : 0;
  });
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

/** Multiplies each row of a matrix by a factor of its own. */
function multiply(values: Float32Array, factors: Float32Array): void {
  const columns = values.length / factors.length;
  for (let column = 0; column < columns; column++)
    for (let row = 0, at = column; row < factors.length; row++, at += columns)
      values[at]! *= factors[row]!;
}
