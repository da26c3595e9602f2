/**
 * The values of a weight in the layout of onnxruntime's MatMulNBits, symmetric, in blocks along the input: an oracle
 * for the quantiser. Each value is (q - zero point) * scale, with zero point 128 (8 bits) or 8 (4 bits).
 * @param packed B, [rows, ceil(cols / blockSize), blockSize * bits / 8]; with 4 bits the low nibble comes first
 * @param scales [rows * ceil(cols / blockSize)]
 * @returns [rows, cols] row-major
 */
export function dequantize(
  packed: Uint8Array,
  scales: ArrayLike<number>,
  rows: number,
  cols: number,
  bits: 8 | 4,
  blockSize = 32,
): Float64Array {
  const blocks = Math.ceil(cols / blockSize);
  const blockBytes = (blockSize * bits) / 8;
  if (packed.length !== rows * blocks * blockBytes) throw new Error('wrong number of packed bytes');
  if (scales.length !== rows * blocks) throw new Error('wrong number of scales');
  const values = new Float64Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const block = row * blocks + Math.floor(col / blockSize);
      const within = col % blockSize;
      const byte = packed[block * blockBytes + (bits === 8 ? within : within >> 1)]!;
      const q = bits === 8 ? byte - 128 : ((within % 2 === 0 ? byte : byte >> 4) & 15) - 8;
      values[row * cols + col] = q * scales[block]!;
    }
  }
  return values;
}
