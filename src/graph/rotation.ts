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
import { type KernelRoom, kernelRoom, kernels } from '../kernels.js';
import { Random } from '../random.js';
import type { Precision } from './quantise.js';

/** From the checkpoint's states to the rotated ones, or back. */
type Way = 'there' | 'back';

/** Columns that are rotated at a time, as the kernels have it: a cache line of floats. */
const tileColumns = 16;
/** Columns that are copied to the kernels at a time. */
const panelColumns = 16 * tileColumns;

/** Q of a hidden size, applied without ever being written out: in d (log k + m) steps a row. */
export class Rotation {
  private readonly k: number;
  private readonly m: number;
  /** +1 or -1, over sqrt k. */
  private readonly signs: Float32Array;
  /** C and its transpose, outputs by inputs. */
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
    const matrix = (value: (output: number, input: number) => number) =>
      Float64Array.from({ length: m * m }, (_, at) => value(Math.floor(at / m), at % m));
    this.cosines = {
      there: matrix((output, input) => cosine(input, output)),
      back: matrix(cosine),
    };
  }

  /**
   * Every row x of a matrix [rows, d] becomes x Q, or x Q^T on the way back, in place.
   * @param factors of the features, [d], that rows are multiplied by before.
   */
  rows(matrix: Float32Array, way: Way = 'there', factors?: Float32Array): void {
    const { size } = this;
    const atOnce = size * Math.max(1, Math.floor(elementsAtOnce / size));
    const room = this.room(atOnce, size, way);
    const values = room.floats(place.values);
    const signs = room.at(place.signs);
    if (factors) room.floats(place.factors).set(factors);
    for (let first = 0; first < matrix.length; first += atOnce) {
      const some = matrix.subarray(first, first + atOnce);
      values.set(some);
      for (let row = 0; row < some.length; row += size) {
        const at = room.at(place.values) + 4 * row;
        if (factors) kernels.multiply(at, room.at(place.factors), size);
        if (way === 'there') kernels.multiply(at, signs, size);
        this.rotate(room, at, 1, way);
        if (way === 'back') kernels.multiply(at, signs, size);
      }
      some.set(values.subarray(0, some.length));
    }
  }

  /** A matrix W [d, columns] becomes Q^T W, or Q W on the way back, in place. */
  columns(matrix: Float32Array, way: Way = 'there'): void {
    const { size } = this;
    const columns = matrix.length / size;
    const room = this.room(panelColumns * size, tileColumns * size, way);
    const [tile, signs] = [room.at(place.tile), room.at(place.signs)];
    const [before, after] = way === 'there' ? [signs, 0] : [0, signs];
    const panel = room.floats(place.values);
    for (let first = 0; first < columns; first += panelColumns) {
      const count = Math.min(panelColumns, columns - first);
      for (let row = 0, at = first; row < size; row++, at += columns)
        panel.set(matrix.subarray(at, at + count), row * panelColumns);
      for (let column = 0; column < count; column += tileColumns) {
        const at = room.at(place.values) + 4 * column;
        kernels.gather(at, panelColumns, size, before, tile);
        this.rotate(room, tile, tileColumns, way);
        kernels.scatter(tile, size, after, at, panelColumns);
      }
      for (let row = 0, at = first; row < size; row++, at += columns) {
        const from = row * panelColumns;
        matrix.set(panel.subarray(from, from + count), at);
      }
    }
  }

  /** Room for values, and for what rotating some of them at once needs. */
  private room(values: number, atOnce: number, way: Way): KernelRoom {
    const { size, m } = this;
    const room = kernelRoom([4 * values, 4 * size, 8 * m * m, 4 * atOnce, 4 * atOnce, 4 * size]);
    room.doubles(place.cosines).set(this.cosines[way]);
    room.floats(place.signs).set(this.signs);
    return room;
  }

  /** C ⊗ H, or its transpose, on some vectors that lie side by side, [d, vectors]. */
  private rotate(room: KernelRoom, values: number, vectors: number, way: Way): void {
    const { k, m, size } = this;
    const mix = () => {
      if (m === 1) return;
      kernels.mix(values, room.at(place.scratch), room.at(place.cosines), m, k * vectors);
    };
    if (way === 'back') mix();
    kernels.hadamard(values, size * vectors, vectors, k * vectors);
    if (way === 'there') mix();
  }
}

/** Of the kernels' room. */
const place = { values: 0, signs: 1, cosines: 2, scratch: 3, tile: 4, factors: 5 } as const;

/** Values that are copied there at once, about. */
const elementsAtOnce = 1 << 15;

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
