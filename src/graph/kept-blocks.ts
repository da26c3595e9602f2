/**
 * Quantised blocks of GGUF files as MatMulNBits has them, value for value.
 *
 * symbol | shape          | meaning
 * -------|----------------|-----------------------------------------------------------------------------
 * d, m   | scalar         | float16 scale and offset of a block of 32 columns in the file
 * q      | [32]           | its quantised values
 * s      | [rows, blocks] | scales here: d, as float32
 * c      | [rows, blocks] | offsets here: what every weight of a block has on top of s (q - z)
 *
 * Q4_0: w = d (q - 8), z = 8. Q8_0: w = d q with q from -128, stored as q + 128, z = 128. Q4_1: w = d q + m, where m / d is no
 * whole number, so no zero point of MatMulNBits stands for it (a float one makes onnxruntime 1.30 multiply in float32, fifty times
 * slower): z = 8 and c = m + 8 d, and the graph adds c times the sum of the block's inputs.
 */
import type { GgmlType } from '../checkpoint/gguf/ggml-types.js';
import { ggmlTypes } from '../checkpoint/gguf/ggml-types.js';
import { halfToFloat } from '../checkpoint/gguf/half.js';
import type { QuantisedRows } from './quantise.js';

/** Types whose blocks are kept, with the bits of a value. */
export const keptBits = { Q4_0: 4, Q4_1: 4, Q8_0: 8 } as const satisfies Partial<
  Record<GgmlType, 4 | 8>
>;
export type KeptType = keyof typeof keptBits;

/** Columns of a block, in all of these types. */
export const keptBlock = 32;

export function isKeptType(type: GgmlType): type is KeptType {
  return Object.hasOwn(keptBits, type);
}

/** Rows of blocks, and what their weights have on top. */
export interface KeptRows extends QuantisedRows {
  /** c, [rows, blocks]; null where it is zero. */
  readonly offsets: Float32Array | null;
}

/**
 * Rearranges blocks of a file.
 * @param bytes whole blocks, row-major
 */
export function keepBlocks(type: KeptType, bytes: Uint8Array): KeptRows {
  const { blockBytes } = ggmlTypes[type];
  const blocks = bytes.length / blockBytes;
  const packed = new Uint8Array(blocks * ((keptBlock * keptBits[type]) / 8));
  const scales = new Float32Array(blocks);
  const offsets = type === 'Q4_1' ? new Float32Array(blocks) : null;
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes;
    const d = halfToFloat(bytes, at);
    scales[block] = d;
    if (offsets) offsets[block] = halfToFloat(bytes, at + 2) + 8 * d;
    if (type === 'Q8_0') {
      for (let i = 0; i < keptBlock; i++) packed[keptBlock * block + i] = bytes[at + 2 + i]! ^ 0x80;
      continue;
    }
    // The file has value i and value i + 16 in one byte, MatMulNBits values 2 i and 2 i + 1.
    const nibbles = at + (offsets ? 4 : 2);
    for (let i = 0; i < 16; i += 2) {
      const [first, second] = [bytes[nibbles + i]!, bytes[nibbles + i + 1]!];
      packed[16 * block + i / 2] = (first & 15) | ((second & 15) << 4);
      packed[16 * block + 8 + i / 2] = (first >> 4) | (second & 0xf0);
    }
  }
  return { packed, scales, offsets };
}
