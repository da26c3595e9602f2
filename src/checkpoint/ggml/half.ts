let table: Float32Array | undefined;

/** The float16 at a place in little-endian bytes, of any alignment. */
export function halfToFloat(bytes: Uint8Array, at: number): number {
  table ??= buildTable();
  return table[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

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
