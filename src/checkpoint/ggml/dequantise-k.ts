/**
 * The K types of ggml: blocks of 256 values, in groups of 16 or 32 with scales of their own. Symbols as in dequantise.ts.
 */

import { halfToFloat } from '../../half.js';
import { type GgmlType, ggmlTypes } from './types.js';

/** Types with blocks of 256. */
export type KType = Extract<GgmlType, `${string}_K`>;

const BLOCK = 256;
const round = Math.fround;

/** Converts whole blocks; lengths are the caller's to check. */
export function dequantiseK(type: KType, bytes: Uint8Array, out: Float32Array): void {
  const convert = CONVERTERS[type];
  const { blockBytes } = ggmlTypes[type];
  for (let at = 0, to = 0; at < bytes.length; at += blockBytes, to += BLOCK)
    convert(bytes, at, out, to);
}

type Converter = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

const CONVERTERS: Readonly<Record<KType, Converter>> = {
  /** s and its offsets in nibbles [16], q [64], d, m. */
  Q2_K(bytes, at, out, to) {
    const d = halfToFloat(bytes, at + 80);
    const m = halfToFloat(bytes, at + 82);
    for (let group = 0; group < 16; group++) {
      const s = bytes[at + group]!;
      const scale = round(d * (s & 15));
      const offset = round(m * (s >> 4));
      for (let i = 0; i < 16; i++)
        out[to + 16 * group + i] = round(scale * twoBits(bytes, at + 16, group, i)) - offset;
    }
  },
  /** Third bits, inverted [32], q [64], s [12], d. */
  Q3_K(bytes, at, out, to) {
    const d = halfToFloat(bytes, at + 108);
    for (let group = 0; group < 16; group++) {
      const low = (bytes[at + 96 + (group & 7)]! >> (group < 8 ? 0 : 4)) & 15;
      const high = (bytes[at + 104 + (group & 3)]! >> (2 * (group >> 2))) & 3;
      const scale = round(d * ((low | (high << 4)) - 32));
      for (let i = 0; i < 16; i++) {
        const third = (bytes[at + 16 * (group & 1) + i]! >> (group >> 1)) & 1;
        out[to + 16 * group + i] = scale * (twoBits(bytes, at + 32, group, i) - (third ? 0 : 4));
      }
    }
  },
  /** d, m, s and its offsets [12], q [128]. */
  Q4_K(bytes, at, out, to) {
    fourBits(bytes, at, at + 16, null, out, to);
  },
  /** d, m, s and its offsets [12], fifth bits [32], q [128]. */
  Q5_K(bytes, at, out, to) {
    fourBits(bytes, at, at + 48, at + 16, out, to);
  },
  /** Low nibbles of q [128], high pairs [64], s int8 [16], d. */
  Q6_K(bytes, at, out, to) {
    const d = halfToFloat(bytes, at + 208);
    for (let group = 0; group < 16; group++) {
      const scale = round(d * ((bytes[at + 192 + group]! << 24) >> 24));
      const half = group >> 3;
      const quarter = (group >> 1) & 3;
      const within = 16 * (group & 1);
      const lowAt = at + 64 * half + 32 * (quarter & 1) + within;
      const highAt = at + 128 + 32 * half + within;
      for (let i = 0; i < 16; i++) {
        const low = (bytes[lowAt + i]! >> (quarter < 2 ? 0 : 4)) & 15;
        const high = (bytes[highAt + i]! >> (2 * quarter)) & 3;
        out[to + 16 * group + i] = scale * ((low | (high << 4)) - 32);
      }
    }
  },
};

/** d s and m s' of a group of 32 of Q4_K and Q5_K: a value is scale q - offset. */
export function groupScale(
  bytes: Uint8Array,
  at: number,
  group: number,
): { scale: number; offset: number } {
  const s = at + 4;
  const later = group >= 4;
  const scaleBits = later
    ? (bytes[s + group + 4]! & 15) | ((bytes[s + group - 4]! >> 6) << 4)
    : bytes[s + group]! & 63;
  const offsetBits = later
    ? (bytes[s + group + 4]! >> 4) | ((bytes[s + group]! >> 6) << 4)
    : bytes[s + group + 4]! & 63;
  return {
    scale: round(halfToFloat(bytes, at) * scaleBits),
    offset: round(halfToFloat(bytes, at + 2) * offsetBits),
  };
}

/** Value i of a group of 16 in pairs of bits: 32 bytes hold 4 x 32 values, one of the four in each pair. */
function twoBits(bytes: Uint8Array, at: number, group: number, i: number): number {
  const byte = bytes[at + 32 * (group >> 3) + 16 * (group & 1) + i]!;
  return (byte >> (2 * ((group >> 1) & 3))) & 3;
}

/** Groups of 32 in nibbles, with 6-bit scales and offsets, and a fifth bit where there is one. */
function fourBits(
  bytes: Uint8Array,
  at: number,
  quantsAt: number,
  fifthAt: number | null,
  out: Float32Array,
  to: number,
): void {
  for (let group = 0; group < 8; group++) {
    const { scale, offset } = groupScale(bytes, at, group);
    for (let i = 0; i < 32; i++) {
      let q = (bytes[quantsAt + 32 * (group >> 1) + i]! >> (group & 1 ? 4 : 0)) & 15;
      if (fifthAt !== null) q |= ((bytes[fifthAt + i]! >> group) & 1) << 4;
      out[to + 32 * group + i] = round(scale * q) - offset;
    }
  }
}
