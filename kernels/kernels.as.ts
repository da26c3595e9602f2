// Inner loops of compiling, in AssemblyScript: four floats or two doubles at a time, and the bits that JavaScript's numbers give.
// `npm run kernels` makes ../src/kernels_wasm.ts of it. Addresses are bytes of the instance's memory.

@inline function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

@inline function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 1));
}

/** Two pairs of doubles as four floats. */
@inline function floats(a: v128, b: v128): v128 {
  return i64x2.shuffle(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 2);
}

/** float16 to float32. */
export function halves(from: usize, count: i32, to: usize): void {
  const magnitude = i32x4.splat(0x7fff);
  const sign = i32x4.splat(0x8000);
  const largest = i32x4.splat(0x7bff);
  const exponent = i32x4.splat(0x7f800000);
  const scale = f32x4.splat(<f32>5192296858534827628530496329220096.0); // 2^112: the difference of the exponents' biases
  for (let i = 0; i < count; i += 4) {
    const half = v128.load16x4_u(from + (<usize>i << 1));
    const size = v128.and(half, magnitude);
    const value = f32x4.mul(i32x4.shl(size, 13), scale);
    const infinite = v128.and(i32x4.gt_s(size, largest), exponent);
    const signed = v128.or(value, i32x4.shl(v128.and(half, sign), 16));
    v128.store(to + (<usize>i << 2), v128.or(signed, infinite));
  }
}

/** Multiplies a row by factors. */
export function multiply(row: usize, factors: usize, count: i32): void {
  const end = row + (<usize>count << 2);
  let at = row;
  let by = factors;
  for (; at + 16 <= end; at += 16, by += 16)
    v128.store(at, f32x4.mul(v128.load(at), v128.load(by)));
  for (; at < end; at += 4, by += 4) f32.store(at, f32.load(at) * f32.load(by));
}

/** Sylvester's Hadamard matrix on pieces of `piece` values, steps from `first` on. Two steps in one are rounded once. */
export function hadamard(values: usize, count: i32, first: i32, piece: i32): void {
  const end = values + (<usize>count << 2);
  let half = first;
  for (; 4 * half <= piece; half *= 4) {
    const h = <usize>half << 2;
    for (let block = values; block < end; block += 4 * h) {
      if (half < 4)
        for (let i = block; i < block + h; i += 4) {
          const a = <f64>f32.load(i);
          const b = <f64>f32.load(i + h);
          const c = <f64>f32.load(i + 2 * h);
          const d = <f64>f32.load(i + 3 * h);
          f32.store(i, <f32>(a + b + (c + d)));
          f32.store(i + h, <f32>(a - b + (c - d)));
          f32.store(i + 2 * h, <f32>(a + b - (c + d)));
          f32.store(i + 3 * h, <f32>(a - b - (c - d)));
        }
      else
        for (let i = block; i < block + h; i += 16) {
          const a = v128.load(i);
          const b = v128.load(i + h);
          const c = v128.load(i + 2 * h);
          const d = v128.load(i + 3 * h);
          const s0 = f64x2.add(low(a), low(b));
          const s1 = f64x2.add(high(a), high(b));
          const m0 = f64x2.sub(low(a), low(b));
          const m1 = f64x2.sub(high(a), high(b));
          const t0 = f64x2.add(low(c), low(d));
          const t1 = f64x2.add(high(c), high(d));
          const n0 = f64x2.sub(low(c), low(d));
          const n1 = f64x2.sub(high(c), high(d));
          v128.store(i, floats(f64x2.add(s0, t0), f64x2.add(s1, t1)));
          v128.store(i + h, floats(f64x2.add(m0, n0), f64x2.add(m1, n1)));
          v128.store(i + 2 * h, floats(f64x2.sub(s0, t0), f64x2.sub(s1, t1)));
          v128.store(i + 3 * h, floats(f64x2.sub(m0, n0), f64x2.sub(m1, n1)));
        }
    }
  }
  for (; half < piece; half *= 2) {
    const h = <usize>half << 2;
    for (let block = values; block < end; block += 2 * h) {
      if (half < 4)
        for (let i = block; i < block + h; i += 4) {
          const a = f32.load(i);
          const b = f32.load(i + h);
          f32.store(i, a + b);
          f32.store(i + h, a - b);
        }
      else
        for (let i = block; i < block + h; i += 16) {
          const a = v128.load(i);
          const b = v128.load(i + h);
          v128.store(i, f32x4.add(a, b));
          v128.store(i + h, f32x4.sub(a, b));
        }
    }
  }
}

/** A product across m pieces of `piece` values: doubles [m outputs, m inputs] times the values, of which `scratch` gets a copy. */
export function mix(values: usize, scratch: usize, matrix: usize, m: i32, piece: i32): void {
  const bytes = <usize>piece << 2;
  memory.copy(scratch, values, <usize>m * bytes);
  for (let output = 0; output < m; output++) {
    const row = matrix + <usize>(output * m) * 8;
    const to = values + <usize>output * bytes;
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) {
      let a = f64x2.splat(0);
      let b = f64x2.splat(0);
      for (let input = 0, from = scratch + i; input < m; input++, from += bytes) {
        const factor = v128.load64_splat(row + (<usize>input << 3));
        const x = v128.load(from);
        a = f64x2.add(a, f64x2.mul(factor, low(x)));
        b = f64x2.add(b, f64x2.mul(factor, high(x)));
      }
      v128.store(to + i, floats(a, b));
    }
    for (; i < bytes; i += 4) {
      let sum: f64 = 0;
      for (let input = 0, from = scratch + i; input < m; input++, from += bytes)
        sum += f64.load(row + (<usize>input << 3)) * <f64>f32.load(from);
      f32.store(to + i, <f32>sum);
    }
  }
}

/** The entry of largest magnitude, its sign kept: the first of equals; not a number where one is none. */
function extremeOf(values: usize, count: i32): f32 {
  const end = values + (<usize>count << 2);
  let most = f32x4.splat(0);
  let at = values;
  for (; at + 16 <= end; at += 16) most = f32x4.max(most, f32x4.abs(v128.load(at)));
  let size = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (; at < end; at += 4) size = max(size, abs(f32.load(at)));
  if (size == 0) return 0;
  for (at = values; at < end; at += 4) if (abs(f32.load(at)) == size) return f32.load(at);
  return size;
}

/** Rows to whole numbers of 8 bits, row by row, with a scale each. */
export function channels(values: usize, rows: i32, columns: i32, scales: usize, to: usize): void {
  for (let row = 0; row < rows; row++) {
    const from = values + (<usize>(row * columns) << 2);
    const into = to + <usize>(row * columns);
    const extreme = <f64>abs(extremeOf(from, columns));
    f32.store(scales + (<usize>row << 2), <f32>(extreme / 127));
    const inverse = <f64>(<f32>(extreme == 0 ? 0 : 127 / extreme));
    const factor = f64x2.splat(inverse);
    let i = 0;
    for (; i + 4 <= columns; i += 4) {
      const x = v128.load(from + (<usize>i << 2));
      const a = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.mul(low(x), factor), f64x2.splat(127.5)));
      const b = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.mul(high(x), factor), f64x2.splat(127.5)));
      const q = i32x4.sub(i64x2.shuffle(a, b, 0, 2), i32x4.splat(127));
      const words = i16x8.narrow_i32x4_s(q, q);
      v128.store32_lane(into + <usize>i, i8x16.narrow_i16x8_s(words, words), 0);
    }
    for (; i < columns; i++)
      i32.store8(into + <usize>i, <i32>(<f64>f32.load(from + (<usize>i << 2)) * inverse + 127.5) - 127);
  }
}

/**
 * A scale for 4 bits with a small sum of squared errors. What values are rounded to is taken at some scales around that of the block's
 * extreme; for whole numbers q the best scale is (x q) / (q q), which leaves (x q)^2 / (q q) less of (x x).
 */
function clippedScale(values: usize, size: i32, scale: f32): f32 {
  let best = scale;
  let most: f32 = 0;
  for (let percent = 100; percent >= 70; percent -= 10) {
    const inverse = f32x4.splat(<f32>100 / (<f32>percent * scale));
    let products = f32x4.splat(0);
    let squares = f32x4.splat(0);
    for (let i = 0; i < size; i += 4) {
      const x = v128.load(values + (<usize>i << 2));
      const q = fourBits(x, inverse);
      products = f32x4.add(products, f32x4.mul(x, q));
      squares = f32x4.add(squares, f32x4.mul(q, q));
    }
    const xq = sumOf(products);
    const qq = sumOf(squares);
    const explained = xq * xq / qq;
    if (explained > most) {
      most = explained;
      best = xq / qq;
    }
  }
  return best;
}

/** Whole numbers from -8 to 7. */
@inline function fourBits(x: v128, inverse: v128): v128 {
  const whole = f32x4.nearest(f32x4.mul(x, inverse));
  return f32x4.pmax(f32x4.splat(-8), f32x4.pmin(f32x4.splat(7), whole));
}

@inline function sumOf(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3);
}

/** Four words of 16 bits below 16 as two bytes. */
@inline function storeNibbles(to: usize, words: v128): void {
  // Even columns are the low nibbles.
  const pairs = v128.or(words, i32x4.shr_u(words, 12));
  const bytes = v128.and(pairs, i32x4.splat(0xff));
  const packed = i16x8.narrow_i32x4_u(bytes, bytes);
  v128.store16_lane(to, i8x16.narrow_i16x8_u(packed, packed), 0);
}

/** Blocks of a multiple of 4 values in 4 bits, with a clipped scale each. */
export function clippedBlocks(values: usize, count: i32, size: i32, scales: usize, to: usize): void {
  let out = to;
  for (let block = 0; block < count; block++) {
    const from = values + (<usize>(block * size) << 2);
    const scale = clippedScale(from, size, extremeOf(from, size) / -8);
    f32.store(scales + (<usize>block << 2), scale);
    const inverse = f32x4.splat(scale == 0 ? 0 : 1 / scale);
    for (let i = 0; i < size; i += 4) {
      const q = i32x4.trunc_sat_f32x4_s(f32x4.add(fourBits(v128.load(from + (<usize>i << 2)), inverse), f32x4.splat(8)));
      storeNibbles(out, i16x8.narrow_i32x4_u(q, q));
      out += 2;
    }
  }
}

/** Blocks of a multiple of 4 values in `bits` bits, as src/graph/quantise.ts has them, with a scale each. */
export function blocks(values: usize, count: i32, size: i32, bits: i32, scales: usize, to: usize): void {
  const zero = 1 << (bits - 1);
  const shift = f64x2.splat(<f64>zero + 0.5);
  const most = i32x4.splat(2 * zero - 1);
  const none = i32x4.splat(0);
  let out = to;
  for (let block = 0; block < count; block++) {
    const from = values + (<usize>(block * size) << 2);
    const extreme = <f64>extremeOf(from, size);
    const scale = <f32>(bits == 8 ? abs(extreme) / 127 : extreme / -8);
    f32.store(scales + (<usize>block << 2), scale);
    const divisor = f64x2.splat(<f64>scale);
    for (let i = 0; i < size; i += 4) {
      const x = v128.load(from + (<usize>i << 2));
      const a = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.div(low(x), divisor), shift));
      const b = i32x4.trunc_sat_f64x2_s_zero(f64x2.add(f64x2.div(high(x), divisor), shift));
      const q = scale == 0
        ? i32x4.splat(zero)
        : i32x4.max_s(none, i32x4.min_s(most, i64x2.shuffle(a, b, 0, 2)));
      const words = i16x8.narrow_i32x4_u(q, q);
      if (bits == 8) {
        v128.store32_lane(out, i8x16.narrow_i16x8_u(words, words), 0);
        out += 4;
      } else {
        storeNibbles(out, words);
        out += 2;
      }
    }
  }
}

/** Columns of a tile, and bytes of one of its rows. */
const tile: i32 = 16;
const tileBytes: usize = 64;

/** Some columns of a matrix lie together as a tile, [rows, 16], each row times its factor; without factors where their address is 0. */
export function gather(from: usize, stride: i32, rows: i32, factors: usize, to: usize): void {
  let out = to;
  for (let row = 0, at = from; row < rows; row++, at += <usize>stride << 2, out += tileBytes) {
    const factor = f32x4.splat(factors == 0 ? 1 : f32.load(factors + (<usize>row << 2)));
    for (let i: usize = 0; i < tileBytes; i += 16)
      v128.store(out + i, f32x4.mul(v128.load(at + i), factor));
  }
}

/** A tile goes back to its columns, each row times its factor. */
export function scatter(from: usize, rows: i32, factors: usize, to: usize, stride: i32): void {
  let at = from;
  for (let row = 0, out = to; row < rows; row++, out += <usize>stride << 2, at += tileBytes) {
    const factor = f32x4.splat(factors == 0 ? 1 : f32.load(factors + (<usize>row << 2)));
    for (let i: usize = 0; i < tileBytes; i += 16)
      v128.store(out + i, f32x4.mul(v128.load(at + i), factor));
  }
}

/** Rows of bytes become columns. */
export function transpose(from: usize, rows: i32, columns: i32, to: usize): void {
  for (let column0 = 0; column0 < columns; column0 += tile) {
    const end = min(columns, column0 + tile);
    for (let row = 0; row < rows; row++) {
      const at = from + <usize>(row * columns);
      let out = to + <usize>(column0 * rows + row);
      for (let column = column0; column < end; column++, out += <usize>rows)
        i32.store8(out, i32.load8_u(at + <usize>column));
    }
  }
}
