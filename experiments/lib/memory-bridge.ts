/**
 * A bridge that also sees the hidden state which the position before had at its far end: what a draft pass could take from the
 * pass before it, at the price of one more product.
 *
 * | symbol | shape   | meaning                                                                                  |
 * |--------|---------|------------------------------------------------------------------------------------------|
 * | d      |         | hidden size                                                                              |
 * | a_t    | [d]     | hidden state of position t before the skipped run                                        |
 * | b_t    | [d]     | hidden state of position t after it                                                      |
 * | x_t    | [2d]    | rmsnorm(a_t), rmsnorm(b_(t-1)), weights 1, means over all t taken away                   |
 * | W, U   | [d, d]  | the maps: y_t = a_t + rmsnorm(a_t) W + rmsnorm(b_(t-1)) U + w0                           |
 * | lambda |         | the ridge, RIDGE n, as of bridges (src/search/bridges/fit.ts)                            |
 *
 * (W, U) = (X'X + lambda 1)^-1 X'Y with Y = b - a, its means taken away: graph/ridge.ts with features of two states.
 */
import { Cholesky } from '../../src/optimise/gp/cholesky.js';
import { unitNorm } from '../../src/search/bridges/unit-norm.js';

const RIDGE = 0.01;

/** One text: states of neighbouring positions, [positions, d] each. */
export interface TextStates {
  readonly before: Float32Array;
  readonly after: Float32Array;
}

/** W, U [d, d], rows by input, and w0 [d]. */
export interface MemoryBridge {
  readonly weight: Float32Array;
  readonly memory: Float32Array;
  readonly bias: Float32Array;
}

/** X M for every row, [rows, d] times [d, d], added to what is there. */
export function addProduct(
  into: Float32Array,
  rows: Float32Array,
  matrix: Float32Array,
  size: number,
): void {
  for (let at = 0; at < rows.length; at += size) {
    const out = into.subarray(at, at + size);
    for (let i = 0; i < size; i++) {
      const x = rows[at + i]!;
      const row = matrix.subarray(i * size, (i + 1) * size);
      for (let j = 0; j < size; j++) out[j] += x * row[j]!;
    }
  }
}

/**
 * Fits W, U and w0 to the states of some texts; the first position of each has none before it and is left out.
 * @param withMemory false: U is 0, and W that of a plain bridge.
 */
export function fitMemoryBridge(
  texts: readonly TextStates[],
  size: number,
  eps: number,
  withMemory: boolean,
): MemoryBridge {
  const width = withMemory ? 2 * size : size;
  const { x, y, rows } = features(texts, size, eps, width);
  const xMean = takeMeans(x, width);
  const yMean = takeMeans(y, size);
  const gram = new Float32Array(width * width);
  const cross = new Float32Array(width * size);
  for (let n = 0; n < rows; n++) {
    const xs = x.subarray(n * width, (n + 1) * width);
    const ys = y.subarray(n * size, (n + 1) * size);
    for (let i = 0; i < width; i++) {
      const v = xs[i]!;
      const own = gram.subarray(i * width, i * width + i + 1);
      for (let j = 0; j <= i; j++) own[j] += v * xs[j]!;
      const crossed = cross.subarray(i * size, (i + 1) * size);
      for (let j = 0; j < size; j++) crossed[j] += v * ys[j]!;
    }
  }
  const cholesky = new Cholesky(width, RIDGE * rows);
  for (let i = 0; i < width; i++)
    if (!cholesky.append(Float64Array.from(gram.subarray(i * width, i * width + i + 1))))
      throw new TypeError('the hidden states are not finite');
  const map = new Float32Array(width * size);
  for (let j = 0; j < size; j++) {
    const column = Float64Array.from({ length: width }, (_, i) => cross[i * size + j]!);
    cholesky.solveLower(column);
    cholesky.solveUpper(column);
    for (let i = 0; i < width; i++) map[i * size + j] = column[i]!;
  }
  const bias = yMean.slice();
  for (let i = 0; i < width; i++)
    for (let j = 0; j < size; j++) bias[j] -= xMean[i]! * map[i * size + j]!;
  const memory = new Float32Array(size * size);
  if (withMemory) memory.set(map.subarray(size * size));
  return { weight: map.slice(0, size * size), memory, bias };
}

function features(texts: readonly TextStates[], size: number, eps: number, width: number) {
  const rows = texts.reduce((sum, { before }) => sum + before.length / size - 1, 0);
  const x = new Float32Array(rows * width);
  const y = new Float32Array(rows * size);
  let row = 0;
  for (const { before, after } of texts) {
    const a = unitNorm(before, size, eps);
    const b = unitNorm(after, size, eps);
    for (let at = size; at < before.length; at += size, row++) {
      x.set(a.subarray(at, at + size), row * width);
      if (width > size) x.set(b.subarray(at - size, at), row * width + size);
      for (let i = 0; i < size; i++) y[row * size + i] = after[at + i]! - before[at + i]!;
    }
  }
  return { x, y, rows };
}

/** Takes the mean of every column away; returns the means. */
function takeMeans(values: Float32Array, width: number): Float32Array {
  const means = new Float64Array(width);
  for (let at = 0; at < values.length; at += width)
    for (let i = 0; i < width; i++) means[i] += values[at + i]!;
  for (let i = 0; i < width; i++) means[i] /= values.length / width;
  for (let at = 0; at < values.length; at += width)
    for (let i = 0; i < width; i++) values[at + i] -= means[i]!;
  return Float32Array.from(means);
}
