import { fromFloat16 } from './read-weights.js';

/** Types that {@link toBlocks} writes. */
export type WrittenType = 'F32' | 'F16' | 'Q4_0' | 'Q4_1' | 'Q4_K' | 'Q8_0';

/** The type's id in a GGUF file. */
export const typeIds: Readonly<Record<WrittenType, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q8_0: 8,
  Q4_K: 12,
};

/** Rounds weights into blocks of a type, as llama.cpp's simple quantisers do; good enough to be told from noise. */
export function toBlocks(type: WrittenType, values: Float32Array): Uint8Array {
  switch (type) {
    case 'F32':
      return new Uint8Array(values.slice().buffer);
    case 'F16':
      return new Uint8Array(Uint16Array.from(values, toFloat16).buffer);
    case 'Q4_K':
      return inBlocks(values, 256, blockQ4K);
    default:
      return inBlocks(
        values,
        32,
        type === 'Q4_0' ? blockQ40 : type === 'Q4_1' ? blockQ41 : blockQ80,
      );
  }
}

function inBlocks(
  values: Float32Array,
  size: number,
  toBlock: (w: Float32Array) => number[],
): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < values.length; at += size)
    bytes.push(...toBlock(values.subarray(at, at + size)));
  return Uint8Array.from(bytes);
}

const clamp = (x: number, low: number, high: number) =>
  Math.max(low, Math.min(high, Math.round(x)));

function blockQ40(w: Float32Array): number[] {
  const extreme = w.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  const { bits, value: d } = half(extreme / -8);
  return [...bits, ...halves(Array.from(w, (x) => clamp(x / d + 8, 0, 15)))];
}

function blockQ41(w: Float32Array): number[] {
  const { bits: lowest, value: m } = half(Math.min(...w));
  const { bits, value: d } = half((Math.max(...w) - m) / 15);
  return [...bits, ...lowest, ...halves(Array.from(w, (x) => clamp((x - m) / d, 0, 15)))];
}

function blockQ80(w: Float32Array): number[] {
  const { bits, value: d } = half(Math.max(...w.map(Math.abs)) / 127);
  return [...bits, ...Array.from(w, (x) => clamp(x / d, -128, 127) & 255)];
}

function blockQ4K(w: Float32Array): number[] {
  const groups = Array.from({ length: 8 }, (_, g) => w.subarray(32 * g, 32 * g + 32));
  const offsets = groups.map((group) => -Math.min(0, ...group));
  const scales = groups.map((group, g) => (Math.max(...group) + offsets[g]!) / 15);
  const d = half(Math.max(...scales) / 63);
  const m = half(Math.max(...offsets) / 63);
  const s = scales.map((x) => clamp(x / d.value, 1, 63));
  const o = offsets.map((x) => clamp(x / m.value, 0, 63));
  const packed = [
    ...[0, 1, 2, 3].map((g) => s[g]! | ((s[g + 4]! >> 4) << 6)),
    ...[0, 1, 2, 3].map((g) => o[g]! | ((o[g + 4]! >> 4) << 6)),
    ...[4, 5, 6, 7].map((g) => (s[g]! & 15) | ((o[g]! & 15) << 4)),
  ];
  const q = groups.map((group, g) =>
    Array.from(group, (x) => clamp((x + m.value * o[g]!) / (d.value * s[g]!), 0, 15)),
  );
  const nibbles = [0, 2, 4, 6].flatMap((g) => q[g]!.map((x, i) => x | (q[g + 1]![i]! << 4)));
  return [...d.bits, ...m.bits, ...packed, ...nibbles];
}

/** Value i and value i + 16 in one byte. */
function halves(q: number[]): number[] {
  return q.slice(0, 16).map((x, i) => x | (q[16 + i]! << 4));
}

function half(x: number): { bits: [number, number]; value: number } {
  const bits = toFloat16(x);
  return { bits: [bits & 255, bits >> 8], value: fromFloat16(bits) };
}

/** The nearest float16 of a number within its range. */
function toFloat16(x: number): number {
  const sign = x < 0 ? 0x8000 : 0;
  const size = Math.abs(x);
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1)));
  // A subnormal has no hidden bit; a fraction that rounds up to the next power carries into the exponent by itself.
  const bits = Math.round(size * 2 ** (10 - exponent)) + (exponent + 14) * 1024;
  return sign | bits;
}
