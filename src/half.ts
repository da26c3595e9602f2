import { kernelRoom, kernels } from './kernels.js';

let table: Float32Array | undefined;

/** The float16 at a place in little-endian bytes, of any alignment. */
export function halfToFloat(bytes: Uint8Array, at: number): number {
  table ??= buildTable();
  return table[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

/** The values of many. */
export function halvesToFloats(halves: Uint16Array, into: Float32Array): void {
  const room = kernelRoom([2 * atOnce, 4 * atOnce]);
  const floats = room.floats(1);
  for (let first = 0; first < halves.length; first += atOnce) {
    const some = halves.subarray(first, first + atOnce);
    room.words(0).set(some);
    kernels.halves(room.at(0), some.length, room.at(1));
    into.set(floats.subarray(0, some.length), first);
  }
}

const atOnce = 1 << 15;

/** The value of every float16: sign 1, exponent 5 (bias 15), fraction 10 bits. */
function buildTable(): Float32Array {
  return Float32Array.from({ length: 1 << 16 }, (_, half) => {
    const sign = half >> 15 === 1 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The float16 nearest to a value, ties to even; infinite from 65,520 on. */
export function floatToHalf(value: number): number {
  float[0] = value;
  const whole = bits[0]!;
  const sign = (whole >>> 16) & 0x8000;
  const rest = whole & 0x7fffffff;
  if (rest > 0x7f800000) return sign | 0x7e00;
  if (rest >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 halves are multiples of 2^-24.
  if (rest < 0x38800000) return sign | roundEven(Math.abs(float[0]!) * 2 ** 24);
  const low = rest & 0x1fff;
  const kept = (rest - 0x38000000) >>> 13;
  const up = low > 0x1000 || (low === 0x1000 && (kept & 1) === 1);
  return sign | (kept + (up ? 1 : 0));
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const half = value - floor;
  if (half !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
