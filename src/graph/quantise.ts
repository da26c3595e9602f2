/**
 * Symmetric quantisation of weights: in blocks, in the layout of onnxruntime's MatMulNBits, or by row, in that of its products of
 * integers.
 *
 * symbol | shape           | meaning
 * -------|-----------------|---------------------------------------------------------------
 * w      | [rows, columns] | float weights
 * s      | [rows, blocks]  | one scale per block of columns
 * q      | as w            | w ~ (q - z) s, z = 128 for 8 bits and 8 for 4 bits
 *
 * 8 bits: s = max|w| / 127. 4 bits: s = m / -8 with m the entry of largest magnitude, its sign kept, so that the
 * whole range -8..7 is used and m is exact (the rule of llama.cpp's Q4_0 and of onnxruntime's own quantiser).
 */

export type Precision = 'fp32' | 'int8' | 'int4';
export const precisions: readonly Precision[] = ['fp32', 'int8', 'int4'];

/**
 * Block sizes in use; a quantised model needs a hidden size that the smallest divides. 128 would be faster still in 8 bits,
 * but there onnxruntime 1.30 rounds a single row differently from several.
 */
const blockSizes = [64, 32] as const;
export const smallestBlock = 32;

/**
 * Columns that share a scale: long blocks in 8 bits, where they cost next to no accuracy and save a tenth of the time
 * (experiments/perplexity.ts), short ones in 4 bits, where accuracy is dear.
 */
export function quantisationBlock(precision: Precision, hiddenSize: number): number {
  if (precision === 'int4') return smallestBlock;
  return blockSizes.find((size) => hiddenSize % size === 0) ?? smallestBlock;
}

/** Bytes and scales of some rows. */
export interface QuantisedRows {
  /** [rows, blocks, block * bits / 8]; with 4 bits the even column is the low nibble. */
  readonly packed: Uint8Array;
  /** [rows, blocks] */
  readonly scales: Float32Array;
}

/**
 * Quantises rows of weights to signed 8 bits with a scale each, s = max|w| / 127, into columns of a matrix.
 * @param into [columns, all rows]; the first row of `weights` becomes its column `first`.
 * @returns the scales.
 */
export function quantiseChannels(
  weights: Float32Array,
  columns: number,
  into: Int8Array,
  first: number,
): Float32Array {
  const rows = weights.length / columns;
  const allRows = into.length / columns;
  const scales = new Float32Array(rows);
  const inverses = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const extreme = Math.abs(extremeOf(weights, row * columns, columns));
    scales[row] = extreme / 127;
    inverses[row] = extreme === 0 ? 0 : 127 / extreme;
  }
  // Some rows of some columns at a time, so that what is read lies together and what is written too.
  for (let row0 = 0; row0 < rows; row0 += tileRows)
    for (let column0 = 0; column0 < columns; column0 += tileColumns) {
      const endRow = Math.min(rows, row0 + tileRows);
      const endColumn = Math.min(columns, column0 + tileColumns);
      for (let row = row0; row < endRow; row++) {
        const inverse = inverses[row]!;
        let to = column0 * allRows + first + row;
        for (let at = row * columns + column0; at < row * columns + endColumn; at++) {
          // Rounded as `Math.round` does, which takes several times as long.
          into[to] = ((weights[at]! * inverse + 127.5) | 0) - 127;
          to += allRows;
        }
      }
    }
  return scales;
}

const tileRows = 64;
const tileColumns = 8;

/** The entry of largest magnitude among some, its sign kept: the first of equals, what is no number before all others. */
function extremeOf(weights: Float32Array, first: number, count: number): number {
  let extreme = 0;
  let magnitude = 0;
  for (let i = first; i < first + count; i++) {
    const size = Math.abs(weights[i]!);
    if (size > magnitude || Number.isNaN(size)) {
      magnitude = size;
      extreme = weights[i]!;
    }
  }
  return extreme;
}

/** Quantises `rows` rows of `columns` weights. A last block that is not full is padded with zeros. */
export function quantiseRows(
  weights: Float32Array,
  rows: number,
  columns: number,
  bits: 8 | 4,
  blockSize: number,
): QuantisedRows {
  const blocks = Math.ceil(columns / blockSize);
  const blockBytes = (blockSize * bits) / 8;
  const zero = 1 << (bits - 1);
  const packed = new Uint8Array(rows * blocks * blockBytes).fill(
    bits === 8 ? zero : zero | (zero << 4),
  );
  const scales = new Float32Array(rows * blocks);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const first = row * columns + block * blockSize;
      const count = Math.min(blockSize, columns - block * blockSize);
      const extreme = extremeOf(weights, first, count);
      const scale = Math.fround(bits === 8 ? Math.abs(extreme) / 127 : extreme / -8);
      const at = row * blocks + block;
      scales[at] = scale;
      if (scale === 0) continue;
      const out = at * blockBytes;
      if (bits === 8)
        for (let i = 0; i < count; i++)
          packed[out + i] = quantised(weights[first + i]!, scale, 128);
      else {
        const even = count & ~1;
        for (let i = 0; i < even; i += 2)
          packed[out + (i >> 1)] =
            quantised(weights[first + i]!, scale, 8) |
            (quantised(weights[first + i + 1]!, scale, 8) << 4);
        if (even < count)
          packed[out + (even >> 1)] = quantised(weights[first + even]!, scale, 8) | (zero << 4);
      }
    }
  }
  return { packed, scales };
}

/** q, in the range of its bits. */
function quantised(weight: number, scale: number, zero: 128 | 8): number {
  const q = (weight / scale + (zero + 0.5)) | 0;
  return q < 0 ? 0 : q >= 2 * zero ? 2 * zero - 1 : q;
}
