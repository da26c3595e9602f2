import { rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import {
  hasShared,
  ramp,
  SHARED,
  type StoredTensor,
  safetensors,
  TINY_CONFIG,
  writeFolder,
} from './fixtures.js';

/** Reads rows of a checkpoint's tensor by its name. */
const reading =
  (checkpoint: Checkpoint) =>
  (name: string, firstRow: number, rowCount: number, into?: Float32Array) =>
    checkpoint.readRows(checkpoint.tensors.get(name)!, firstRow, rowCount, into);

function withWeights(
  tensors: Record<string, StoredTensor>,
  use: (readRows: ReturnType<typeof reading>, folder: string, checkpoint: Checkpoint) => void,
): void {
  const folder = writeFolder(temporaryDirectory(), {
    'config.json': TINY_CONFIG,
    'model.safetensors': safetensors(tensors),
  });
  const checkpoint = openCheckpoint(folder);
  try {
    use(reading(checkpoint), folder, checkpoint);
  } finally {
    checkpoint.close();
  }
}

/** All 65536 bit patterns of a 16-bit dtype. */
const everyPattern = (dtype: string): StoredTensor => ({
  dtype,
  shape: [256, 256],
  data: new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer),
});

/** IEEE 754 half precision by its definition. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return (
    sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  );
}

function bfloatValue(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits * 65536);
  return view.getFloat32(0);
}

describe('readRows', () => {
  it.each([
    ['F16', halfValue],
    ['BF16', bfloatValue],
  ])('converts every %s bit pattern', (dtype, value) => {
    withWeights({ t: everyPattern(dtype) }, (readRows) => {
      const read = readRows('t', 0, 256);
      const wrong = [...read].findIndex((x, bits) => !Object.is(x, value(bits)));
      expect(wrong).toBe(-1);
      expect([...readRows('t', 60, 1)]).toEqual(
        Array.from({ length: 256 }, (_, i) => value(60 * 256 + i)),
      );
    });
  });

  it('reads rows of F32, elements of a vector, and into an array of the caller', () => {
    withWeights({ a: ramp([3]), m: ramp([4, 3], 10), s: ramp([], 7) }, (readRows) => {
      expect([...readRows('m', 1, 2)]).toEqual([13, 14, 15, 16, 17, 18]);
      expect([...readRows('a', 1, 2)]).toEqual([1, 2]);
      expect([...readRows('s', 0, 1)]).toEqual([7]);
      const into = new Float32Array(8).fill(-1);
      const got = readRows('m', 3, 1, into.subarray(1));
      expect([...into]).toEqual([-1, 19, 20, 21, -1, -1, -1, -1]);
      expect([...got]).toEqual([19, 20, 21]);
      expect(got.buffer).toBe(into.buffer);
    });
  });

  it.each([
    ['F32', 4],
    ['F16', 2],
  ])('puts interleaved rows of heads in order, %s', (dtype, size) => {
    // Two heads of six rows of three values; row 2 i + j of a head is row 3 j + i.
    const stored = Array.from({ length: 12 }, (_, row) => [row, row, row]).flat();
    const values = size === 4 ? Float32Array.from(stored) : Uint16Array.from(stored);
    const data = new Uint8Array(values.buffer);
    const folder = writeFolder(temporaryDirectory(), {
      'config.json': TINY_CONFIG,
      'model.safetensors': safetensors({ q: { dtype, shape: [12, 3], data } }),
    });
    const checkpoint = openCheckpoint(folder);
    const q = { ...checkpoint.tensors.get('q')!, interleavedHeads: 2 };
    const order = [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11];
    for (let first = 0; first < 12; first++)
      for (let count = 0; first + count <= 12; count++) {
        const rows = order.slice(first, first + count).flatMap((row) => [row, row, row]);
        const expected = size === 4 ? rows : rows.map(halfValue);
        expect([...checkpoint.readRows(q, first, count)]).toEqual(expected);
      }
    checkpoint.close();
  });

  it('reads a 16-bit tensor larger than one conversion chunk', () => {
    const count = (1 << 21) + 3;
    const data = new Uint8Array(Uint16Array.from({ length: count }, (_, i) => i % 0x7c00).buffer);
    withWeights({ t: { dtype: 'F16', shape: [count], data } }, (readRows) => {
      const read = readRows('t', 1, count - 1);
      for (const i of [0, 1, (1 << 21) - 1, 1 << 21, count - 2])
        expect(read[i]).toBe(halfValue((i + 1) % 0x7c00));
    });
  });

  it('refuses rows outside the tensor, an array too short and other dtypes', () => {
    const bytes = { dtype: 'I8', shape: [2], data: new Uint8Array(2) };
    withWeights({ m: ramp([4, 3]), i: bytes }, (readRows) => {
      expect(() => readRows('m', 3, 2)).toThrow(/Rows 3 to 5 of m are outside its 4/);
      expect(() => readRows('m', -1, 1)).toThrow(RangeError);
      expect(() => readRows('m', 0, 1, new Float32Array(2))).toThrow(/do not fit/);
      expect(() => readRows('i', 0, 1)).toThrow(/dtype I8; weights must be/);
    });
  });

  it('opens files when it reads, and again after it was closed', () => {
    withWeights({ m: ramp([4, 3]) }, (readRows, folder, checkpoint) => {
      expect([...readRows('m', 1, 1)]).toEqual([3, 4, 5]);
      checkpoint.close();
      expect([...readRows('m', 2, 1)]).toEqual([6, 7, 8]);
      checkpoint.close();
      rmSync(join(folder, 'model.safetensors'));
      expect(() => readRows('m', 0, 1)).toThrow(/^Cannot open the weights: /);
    });
  });

  it('says when the file was cut off after it was opened', () => {
    withWeights({ m: ramp([4, 3]) }, (readRows, folder) => {
      truncateSync(join(folder, 'model.safetensors'), 100);
      expect(() => readRows('m', 0, 4)).toThrow(/became shorter/);
    });
  });

  it.skipIf(!hasShared('models/starter-10m'))('gives plausible weights of a real F16 model', () => {
    const checkpoint = openCheckpoint(join(SHARED, 'models/starter-10m'));
    const norm = reading(checkpoint)('model.norm.weight', 0, 256);
    expect(norm.every((x) => Math.abs(x) < 100)).toBe(true);
    expect(norm.reduce((sum, x) => sum + x, 0) / 256).toBeGreaterThan(0.1);
    checkpoint.close();
  });
});
