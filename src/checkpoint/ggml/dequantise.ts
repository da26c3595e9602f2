/**
 * Quantised blocks as float32, as ggml lays them out (ggml-common.h) and its reference computes them; of the types, safetensors has the first
 * three, GGUF all.
 *
 * symbol | shape   | meaning
 * -------|---------|-----------------------------------------------------------------------------------
 * d      | scalar  | float16 scale of a block
 * m      | scalar  | float16 offset of a block (types that end in _1), or scale of the offsets (K types)
 * q      | [block] | quantised values, 2 to 8 bits, two halves of a block in the nibbles of one byte
 * s      | [16, 8] | 4- to 8-bit scales of the groups of a K block, of 16 or 32 values
 *
 * A value is d q, d q + m, (d s) q or (d s) q - (m s'); every product and sum is rounded to float32.
 */

import { halfToFloat, halvesToFloats } from '../../half.js';
import { dequantiseK } from './dequantise-k.js';
import { type GgmlType, ggmlTypes } from './types.js';

/**
 * Converts whole blocks.
 * @param bytes blocks of the type, at any alignment
 * @param out as many elements as the blocks have
 * @throws RangeError when the two do not fit each other
 */
export function dequantise(type: GgmlType, bytes: Uint8Array, out: Float32Array): void {
  const { blockBytes, blockElements } = ggmlTypes[type];
  const blocks = bytes.length / blockBytes;
  if (!Number.isInteger(blocks) || out.length !== blocks * blockElements)
    throw new RangeError(`${bytes.length} bytes of ${type} are not ${out.length} elements.`);
  switch (type) {
    case 'F32':
      new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
      return;
    case 'F16':
      halvesToFloats(wordsOf(bytes), out);
      return;
    case 'BF16': {
      const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
      const words = wordsOf(bytes);
      for (let i = 0; i < out.length; i++) bits[i] = words[i]! << 16;
      return;
    }
    case 'Q8_0':
      for (let b = 0; b < blocks; b++) {
        const at = b * blockBytes;
        const d = halfToFloat(bytes, at);
        for (let i = 0; i < 32; i++) out[b * 32 + i] = d * ((bytes[at + 2 + i]! << 24) >> 24);
      }
      return;
    case 'Q4_0':
      nibbles(bytes, out, blockBytes, -8, false, false);
      return;
    case 'Q4_1':
      nibbles(bytes, out, blockBytes, 0, true, false);
      return;
    case 'Q5_0':
      nibbles(bytes, out, blockBytes, -16, false, true);
      return;
    case 'Q5_1':
      nibbles(bytes, out, blockBytes, 0, true, true);
      return;
    default:
      dequantiseK(type, bytes, out);
  }
}

/** Bytes as words, copied where they are not aligned to them. */
function wordsOf(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}

/** Blocks of 32 in nibbles: d, then m and then the fifth bits where the type has them, then q. @param shift added to q */
function nibbles(
  bytes: Uint8Array,
  out: Float32Array,
  blockBytes: number,
  shift: number,
  hasOffset: boolean,
  hasFifth: boolean,
): void {
  const high = hasOffset ? 4 : 2;
  const low = high + (hasFifth ? 4 : 0);
  for (let at = 0, to = 0; at < bytes.length; at += blockBytes, to += 32) {
    const d = halfToFloat(bytes, at);
    const m = hasOffset ? halfToFloat(bytes, at + 2) : 0;
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + low + i]!;
      let first = (q & 15) + shift;
      let second = (q >> 4) + shift;
      if (hasFifth) {
        first += ((bytes[at + high + (i >> 3)]! >> (i & 7)) & 1) << 4;
        second += ((bytes[at + high + 2 + (i >> 3)]! >> (i & 7)) & 1) << 4;
      }
      out[to + i] = d * first + m;
      out[to + 16 + i] = d * second + m;
    }
  }
}
