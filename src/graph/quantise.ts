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
 * whole range -8..7 is used and m is exact (the rule of llama.cpp's Q4_0 and of onnxruntime's own quantiser). Clipped: of
 * scales from 0.65 to 1.05 of that the one with the smallest sum of squared errors, for which large entries may be cut off.
 */

import { kernelRoom, kernels } from '../kernels.js';

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
  const atOnce = Math.max(1, Math.floor(channelsAtOnce / columns));
  const elements = atOnce * columns;
  const room = kernelRoom([4 * elements, 4 * atOnce, elements, elements]);
  for (let row0 = 0; row0 < rows; row0 += atOnce) {
    const count = Math.min(atOnce, rows - row0);
    room.floats(0).set(weights.subarray(row0 * columns, (row0 + count) * columns));
    kernels.channels(room.at(0), count, columns, room.at(1), room.at(2));
    scales.set(room.floats(1).subarray(0, count), row0);
    kernels.transpose(room.at(2), count, columns, room.at(3));
    const turned = room.bytes(3);
    for (let column = 0, at = first + row0; column < columns; column++, at += allRows)
      into.set(turned.subarray(column * count, (column + 1) * count), at);
  }
  return scales;
}

/** Weights in blocks that are quantised at once: they and what becomes of them fit into a core's cache. */
const elementsAtOnce = 1 << 16;
/** The same of rows that become columns: the more rows, the longer the pieces of a column that are written at a time. */
const channelsAtOnce = 1 << 17;

/**
 * Quantises `rows` rows of `columns` weights. A last block that is not full is padded with zeros.
 * @param clip whether scales of 4 bits are the best ones instead of those that keep the extremes.
 */
export function quantiseRows(
  weights: Float32Array,
  rows: number,
  columns: number,
  bits: 8 | 4,
  blockSize: number,
  clip = false,
): QuantisedRows {
  const blocks = Math.ceil(columns / blockSize);
  const padded = blocks * blockSize;
  const rowBytes = (padded * bits) / 8;
  const packed = new Uint8Array(rows * rowBytes);
  const scales = new Float32Array(rows * blocks);
  const atOnce = Math.max(1, Math.floor(elementsAtOnce / padded));
  const room = kernelRoom([4 * atOnce * padded, 4 * atOnce * blocks, atOnce * rowBytes]);
  const values = room.floats(0);
  for (let row0 = 0; row0 < rows; row0 += atOnce) {
    const count = Math.min(atOnce, rows - row0);
    for (let i = 0; i < count; i++) {
      const at = (row0 + i) * columns;
      values.set(weights.subarray(at, at + columns), i * padded);
      values.fill(0, i * padded + columns, (i + 1) * padded);
    }
    if (clip) kernels.clippedBlocks(room.at(0), count * blocks, blockSize, room.at(1), room.at(2));
    else kernels.blocks(room.at(0), count * blocks, blockSize, bits, room.at(1), room.at(2));
    scales.set(room.floats(1).subarray(0, count * blocks), row0 * blocks);
    packed.set(room.bytes(2).subarray(0, count * rowBytes), row0 * rowBytes);
  }
  return { packed, scales };
}
