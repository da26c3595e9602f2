import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromFloat16, readWeights } from './read-weights.js';
import {
  toBFloat16,
  toFloat16,
  writeSafetensors,
  writeShardedSafetensors,
} from './safetensors-writer.js';
import { temporaryDirectory } from './temporary.js';

const tensor = (name: string, shape: number[], values: number[]) => ({
  name,
  shape,
  values: () => Float32Array.from(values),
});

describe('half precision', () => {
  test('every finite half survives a round trip', () => {
    const finite = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) =>
      Number.isFinite(fromFloat16(bits)),
    );
    expect(finite).toHaveLength(2 * 31 * 1024);
    expect(finite.filter((bits) => toFloat16(fromFloat16(bits)) !== bits)).toEqual([]);
  });

  test.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65520, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [Number.NaN, 0x7e00],
  ])('%d is 0x%s', (value, bits) => {
    expect(toFloat16(value)).toBe(bits);
  });

  test('no neighbouring half is nearer', () => {
    const finite = fc.float({ min: -65000, max: 65000, noNaN: true });
    fc.assert(
      fc.property(finite, (value) => {
        const bits = toFloat16(value);
        const distance = (other: number) => Math.abs(fromFloat16(other) - value);
        if ((bits & 0x7fff) > 0) expect(distance(bits)).toBeLessThanOrEqual(distance(bits - 1));
        expect(distance(bits)).toBeLessThanOrEqual(distance(bits + 1));
      }),
    );
  });

  test.each([
    [1, 0x3f80],
    [-0.15625, 0xbe20],
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [1 + 2 ** -8 + 2 ** -20, 0x3f81],
  ])('bfloat16 of %d', (value, bits) => {
    expect(toBFloat16(value)).toBe(bits);
  });
});

describe('files', () => {
  test('layout of a single file', () => {
    const path = join(temporaryDirectory(), 'model.safetensors');
    writeSafetensors(path, [tensor('a', [2, 2], [1, 2, 3, 4]), tensor('b', [1], [-1])], 'F16');
    const bytes = readFileSync(path);
    const size = Number(bytes.readBigUInt64LE());
    expect(size % 8).toBe(0);
    expect(JSON.parse(bytes.toString('utf8', 8, 8 + size))).toEqual({
      __metadata__: { format: 'pt' },
      a: { dtype: 'F16', shape: [2, 2], data_offsets: [0, 8] },
      b: { dtype: 'F16', shape: [1], data_offsets: [8, 10] },
    });
    expect(bytes.subarray(8 + size).toString('hex')).toBe('003c004000420044' + '00bc');
  });

  test.each(['F32', 'F16', 'BF16'] as const)('%s shards read back', (dtype) => {
    const directory = temporaryDirectory();
    const tensors = [1, 2, 3, 4, 5].map((i) => tensor(`t${i}`, [1, 2], [i, -i / 4]));
    writeShardedSafetensors(directory, tensors, dtype, 2);
    const index = JSON.parse(readFileSync(join(directory, 'model.safetensors.index.json'), 'utf8'));
    expect(index.metadata.total_size).toBe(10 * (dtype === 'F32' ? 4 : 2));
    expect(new Set(Object.values(index.weight_map))).toEqual(
      new Set(['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']),
    );
    const weights = readWeights(directory);
    for (const i of [1, 2, 3, 4, 5]) expect([...weights(`t${i}`)]).toEqual([i, -i / 4]);
    expect(() => weights('t6')).toThrow('t6');
  });

  test('values of the wrong count are refused', () => {
    const path = join(temporaryDirectory(), 'model.safetensors');
    expect(() => writeSafetensors(path, [tensor('a', [3], [1, 2])], 'F32')).toThrow('a: wrong');
  });
});
