import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantiseChannels, quantiseRows } from '../../src/graph/quantise.js';
import { Random } from '../../src/random.js';
import { dequantize } from '../helpers/dequantize.js';

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Weights that share a scale. */
  readonly block: number;
  readonly weights: Float32Array;
}

/** Rows of weights of very different sizes, with last blocks cut short. */
const matrices = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    columns: fc.integer({ min: 1, max: 150 }),
    block: fc.constantFrom(32, 64, 128),
  })
  .chain(({ rows, columns, block }) =>
    fc
      .array(
        fc.oneof(
          fc.float({ noNaN: true, min: Math.fround(-4), max: 4 }),
          fc.float({ noNaN: true, min: Math.fround(-1e-3), max: Math.fround(1e-3) }),
          fc.constantFrom(0, 1, -1, 0.5),
        ),
        { minLength: rows * columns, maxLength: rows * columns },
      )
      .map((values) => ({ rows, columns, block, weights: Float32Array.from(values) })),
  )
  // The product of q and a scale below the normal range of single precision is not exact.
  .map(({ weights, ...sizes }) => ({
    ...sizes,
    weights: weights.map((w) => (Math.abs(w) < 1e-30 ? 0 : w)),
  }));

/** Calls `check` with the entries of each block: given, restored, and the block's scale. */
function eachBlock(
  { rows, columns, block: size, weights }: Matrix,
  bits: 8 | 4,
  check: (given: Float32Array, restored: Float64Array, scale: number) => void,
): void {
  const { packed, scales } = quantiseRows(weights, rows, columns, bits, size);
  const restored = dequantize(packed, scales, rows, columns, bits, size);
  const blocks = Math.ceil(columns / size);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const from = row * columns + block * size;
      const to = Math.min(from + size, (row + 1) * columns);
      check(weights.subarray(from, to), restored.subarray(from, to), scales[row * blocks + block]!);
    }
  }
}

const largest = (values: Float32Array) =>
  values.reduce((best, w) => (Math.abs(w) > Math.abs(best) ? w : best), 0);
/** Room for the rounding of the scale and of the division to single precision. */
const slack = 1 + 1e-5;

describe('block quantisation', () => {
  it('clipped: no block is further off than with its extreme exact, and normal weights are closer', () => {
    const errors = ({ rows, columns, block, weights }: Matrix, clip: boolean): number[] => {
      const { packed, scales } = quantiseRows(weights, rows, columns, 4, block, clip);
      const restored = dequantize(packed, scales, rows, columns, 4, block);
      const blocks = Math.ceil(columns / block);
      const sums = new Array<number>(rows * blocks).fill(0);
      for (const [i, w] of weights.entries()) {
        const place = Math.floor(i / columns) * blocks + Math.floor((i % columns) / block);
        sums[place]! += (restored[i]! - w) ** 2;
      }
      return sums;
    };
    fc.assert(
      fc.property(matrices, (matrix) => {
        const exact = errors(matrix, false);
        for (const [i, sum] of errors(matrix, true).entries())
          expect(sum).toBeLessThanOrEqual(exact[i]! * 1.001 + 1e-12);
      }),
    );
    const random = new Random(1);
    const weights = Float32Array.from({ length: 64 * 64 }, () => random.normal());
    const matrix = { rows: 64, columns: 64, block: 64, weights };
    const total = (clip: boolean) => errors(matrix, clip).reduce((sum, one) => sum + one, 0);
    expect(total(true)).toBeLessThan(0.95 * total(false));
  });

  it('8 bits: the scale is max|w| / 127 and no entry is off by more than half of it', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        eachBlock(matrix, 8, (given, restored, scale) => {
          expect(scale).toBe(Math.fround(Math.abs(largest(given)) / 127));
          for (const [i, w] of given.entries()) {
            expect(Math.abs(restored[i]! - w)).toBeLessThanOrEqual((scale / 2) * slack);
          }
        });
      }),
    );
  });

  it('4 bits: the extreme is exact, others are off by half a scale, or by a whole one at the far end', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        eachBlock(matrix, 4, (given, restored, scale) => {
          const extreme = largest(given);
          expect(Math.abs(restored[given.indexOf(extreme)]! - extreme)).toBe(0); // 0 or -0
          for (const [i, w] of given.entries()) {
            // The range is -8..7 in scales, and the extreme is at -8: beyond 7.5 the other way is cut to 7.
            const cut = w / scale > 7.5;
            const bound = Math.abs(scale) * (cut ? 1 : 0.5) * slack;
            expect(Math.abs(restored[i]! - w)).toBeLessThanOrEqual(bound);
          }
        });
      }),
    );
  });

  it.each([8, 4] as const)('%d bits: a block of zeros has scale 0 and gives zeros', (bits) => {
    const weights = new Float32Array(96);
    weights[40] = 1;
    const { packed, scales } = quantiseRows(weights, 1, 96, bits, 32);
    expect(scales[0] === 0 && scales[2] === 0).toBe(true); // 0 or -0
    expect(scales[1]).not.toBe(0);
    expect(dequantize(packed, scales, 1, 96, bits)[40]).toBeCloseTo(1, 6);
    const zero = bits === 8 ? 128 : 0x88;
    expect(new Set(packed.subarray(0, 4 * bits))).toEqual(new Set([zero]));
  });

  it.each([8, 4] as const)(
    '%d bits: a last block that is not full is padded with zeros',
    (bits) => {
      const weights = Float32Array.from({ length: 2 * 35 }, (_, i) => (i % 7) - 3);
      const { packed, scales } = quantiseRows(weights, 2, 35, bits, 32);
      const blockBytes = 4 * bits;
      expect(packed).toHaveLength(2 * 2 * blockBytes);
      expect(scales).toHaveLength(4);
      // What the runtime multiplies by padding must be 0 for padded activations of any value.
      const wide = dequantize(packed, scales, 2, 64, bits);
      for (const row of [0, 1]) {
        expect(wide.subarray(row * 64 + 35, (row + 1) * 64).every((w) => w === 0)).toBe(true);
        expect(wide[row * 64 + 33]).not.toBe(0);
      }
    },
  );

  it('4 bits: the even column is the low nibble', () => {
    const weights = new Float32Array(32);
    weights[0] = -8;
    weights[1] = 3;
    weights[31] = 7;
    const { packed, scales } = quantiseRows(weights, 1, 32, 4, 32);
    expect(scales[0]).toBe(1);
    expect(packed[0]).toBe(0xb0);
    expect(packed[15]).toBe(0xf8);
    expect(packed[7]).toBe(0x88);
  });
});

it('rows become columns of whole numbers, however many there are', () => {
  // More than are quantised at once, and columns that are no multiple of a tile.
  const [rows, columns, first] = [150, 1003, 2];
  const random = new Random(7);
  const weights = Float32Array.from({ length: rows * columns }, () => random.uniform() - 0.5);
  const all = rows + first + 1;
  const into = new Int8Array(columns * all).fill(99);
  const scales = quantiseChannels(weights, columns, into, first);
  for (let row = 0; row < rows; row++) {
    const own = weights.subarray(row * columns, (row + 1) * columns);
    const most = own.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
    expect(scales[row]).toBeCloseTo(most / 127, 8);
    for (let column = 0; column < columns; column++) {
      const q = into[column * all + first + row]!;
      expect(Math.abs(q - own[column]! / scales[row]!)).toBeLessThan(0.51);
    }
  }
  for (let column = 0; column < columns; column++)
    for (const row of [0, 1, all - 1]) expect(into[column * all + row]).toBe(99);
});
