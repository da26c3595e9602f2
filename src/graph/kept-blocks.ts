/**
 * Quantised blocks of a checkpoint (of GGUF files, so far) as MatMulNBits has them, value for value.
 *
 * symbol | shape          | meaning
 * -------|----------------|-----------------------------------------------------------------------------
 * q      | [32]           | quantised values of a group of 32 columns
 * s      | [rows, groups] | scales
 * c      | [rows, groups] | offsets: what every weight of a group has on top of s (q - z)
 *
 * with z = 8 for 4 bits and 128 for 8 bits. In the file (see checkpoint/ggml/dequantise.ts) a weight of Q4_0 is d (q - 8), of Q8_0
 * d q, of Q4_1 d q + m and of Q4_K (d s') q - m'. m / d is no whole number, so no zero point of MatMulNBits stands for it (a float
 * one makes onnxruntime 1.30 multiply in float32, fifty times slower, and the nearest whole one loses nearly as much as quantising
 * anew, KL 0.26 of 0.33 on SmolLM2): c = m + 8 d, and the graph adds c times the sum of the group's inputs.
 */

import { groupScale } from '../checkpoint/ggml/dequantise-k.js';
import { type GgmlType, ggmlTypes } from '../checkpoint/ggml/types.js';
import { halfToFloat } from '../half.js';
import type { QuantisedRows } from './quantise.js';

/** Columns of a group: those of a block, or an eighth of a K block. */
export const keptBlock = 32;

interface KeptForm {
  readonly bits: 4 | 8;
  readonly hasOffsets: boolean;
  /**
   * Reads one group.
   * @param at where its block begins in `bytes`
   * @param group number of the group in its block
   * @param q [32], gets values less their zero point
   * @returns s and c
   */
  readonly read: (
    bytes: Uint8Array,
    at: number,
    group: number,
    q: Int8Array,
  ) => readonly [number, number];
}

const FORMS = {
  Q4_0: {
    bits: 4,
    hasOffsets: false,
    read(bytes, at, _, q) {
      halves(bytes, at + 2, q);
      return [halfToFloat(bytes, at), 0];
    },
  },
  Q4_1: {
    bits: 4,
    hasOffsets: true,
    read(bytes, at, _, q) {
      halves(bytes, at + 4, q);
      const d = halfToFloat(bytes, at);
      return [d, halfToFloat(bytes, at + 2) + 8 * d];
    },
  },
  Q4_K: {
    bits: 4,
    hasOffsets: true,
    read(bytes, at, group, q) {
      const from = at + 16 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) q[i] = ((bytes[from + i]! >> shift) & 15) - 8;
      const { scale, offset } = groupScale(bytes, at, group);
      return [scale, 8 * scale - offset];
    },
  },
  Q8_0: {
    bits: 8,
    hasOffsets: false,
    read(bytes, at, _, q) {
      for (let i = 0; i < 32; i++) q[i] = bytes[at + 2 + i]!;
      return [halfToFloat(bytes, at), 0];
    },
  },
} as const satisfies Partial<Record<GgmlType, KeptForm>>;

/** A type whose blocks can be kept. */
export type KeptType = keyof typeof FORMS;
export const keptForms: Readonly<Record<KeptType, KeptForm>> = FORMS;

export function isKeptType(type: GgmlType): type is KeptType {
  return Object.hasOwn(FORMS, type);
}

/** Rows of groups, and what their weights have on top. */
export interface KeptRows extends QuantisedRows {
  /** c, [rows, groups]; null where it is zero. */
  readonly offsets: Float32Array | null;
}

/**
 * Rearranges blocks of a file.
 * @param bytes whole blocks, row-major
 * @param bits of a value in the result, no fewer than the type has
 */
export function keepBlocks(type: KeptType, bytes: Uint8Array, bits: 4 | 8): KeptRows {
  const { hasOffsets, read } = keptForms[type];
  const { blockBytes, blockElements } = ggmlTypes[type];
  const perBlock = blockElements / keptBlock;
  const groups = (bytes.length / blockBytes) * perBlock;
  const groupBytes = (keptBlock * bits) / 8;
  const packed = new Uint8Array(groups * groupBytes);
  const scales = new Float32Array(groups);
  const offsets = hasOffsets ? new Float32Array(groups) : null;
  const q = new Int8Array(keptBlock);
  for (let group = 0; group < groups; group++) {
    const at = Math.floor(group / perBlock) * blockBytes;
    const [scale, offset] = read(bytes, at, group % perBlock, q);
    scales[group] = scale;
    if (offsets) offsets[group] = offset;
    const to = group * groupBytes;
    if (bits === 8) for (let i = 0; i < keptBlock; i++) packed[to + i] = q[i]! + 128;
    else
      for (let i = 0; i < groupBytes; i++)
        packed[to + i] = (q[2 * i]! + 8) | ((q[2 * i + 1]! + 8) << 4);
  }
  return { packed, scales, offsets };
}

/** Nibbles of a block, of which each byte has values i and i + 16. */
function halves(bytes: Uint8Array, at: number, q: Int8Array): void {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[at + i]!;
    q[i] = (byte & 15) - 8;
    q[16 + i] = (byte >> 4) - 8;
  }
}
