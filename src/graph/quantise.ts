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
    let extreme = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++)
      extreme = Math.max(extreme, Math.abs(weights[i]!));
    scales[row] = extreme / 127;
    inverses[row] = extreme === 0 ? 0 : 127 / extreme;
  }
  // Some columns at a time, so that what is written lies together.
  for (let row0 = 0; row0 < rows; row0 += channelTile)
    for (let column = 0; column < columns; column++)
      for (let row = row0; row < Math.min(rows, row0 + channelTile); row++)
        into[column * allRows + first + row] = Math.round(
          weights[row * columns + column]! * inverses[row]!,
        );
  return scales;
}

const channelTile = 64;

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
      let extreme = 0;
      for (let i = 0; i < count; i++) {
        const w = weights[first + i]!;
        if (Math.abs(w) > Math.abs(extreme)) extreme = w;
      }
      const scale = Math.fround(bits === 8 ? Math.abs(extreme) / 127 : extreme / -8);
      scales[row * blocks + block] = scale;
      if (scale === 0) continue;
      const out = (row * blocks + block) * blockBytes;
      for (let i = 0; i < count; i++) {
        const q = Math.max(
          0,
          Math.min(2 * zero - 1, Math.round(weights[first + i]! / scale) + zero),
        );
        if (bits === 8) packed[out + i] = q;
        else {
          const at = out + (i >> 1);
          packed[at] = i & 1 ? (packed[at]! & 0x0f) | (q << 4) : (packed[at]! & 0xf0) | q;
        }
      }
    }
  }
  return { packed, scales };
}
