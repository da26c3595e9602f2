import { create, toBinary } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { elementType, Initializers, Nodes, valueInfo } from '../../src/graph/builder.js';
import { ModelProtoSchema } from '../../src/graph/onnx_pb.js';
import { dequantize } from './dequantize.js';
import { mulberry32 } from './random.js';

test('8 bits: zero point 128, one scale per row and block', () => {
  const packed = new Uint8Array(2 * 64).fill(128);
  packed[0] = 255;
  packed[33] = 0;
  packed[64 + 63] = 129;
  const values = dequantize(packed, [0.5, 2, 1, 3], 2, 64, 8);
  expect(values[0]).toBe(63.5);
  expect(values[33]).toBe(-256);
  expect(values[127]).toBe(3);
  expect(values.filter((x) => x !== 0)).toHaveLength(3);
});

test('4 bits: zero point 8, low nibble first, a last block cut short', () => {
  const packed = new Uint8Array(2 * 16).fill(0x88);
  packed[0] = 0xf0;
  packed[16] = 0x98;
  const values = dequantize(packed, [1, 10], 1, 34, 4);
  expect([...values.subarray(0, 3)]).toEqual([-8, 7, 0]);
  expect([...values.subarray(32)]).toEqual([0, 10]);
});

test('wrong sizes are refused', () => {
  expect(() => dequantize(new Uint8Array(31), [1], 1, 32, 8)).toThrow('packed');
  expect(() => dequantize(new Uint8Array(32), [], 1, 32, 8)).toThrow('scales');
});

describe('the layout is that of onnxruntime', () => {
  const [rows, cols] = [5, 96];

  test.each([8, 4] as const)('identity times a %d-bit weight is its transpose', async (bits) => {
    const next = mulberry32(bits);
    const blocks = cols / 32;
    const packed = Uint8Array.from({ length: (rows * cols * bits) / 8 }, next);
    const scales = Float32Array.from({ length: rows * blocks }, () => (1 + (next() % 8)) / 16);
    const session = await ort.InferenceSession.create(matMulNBits(packed, scales, bits), {
      logSeverityLevel: 3,
    });
    const identity = new Float32Array(cols * cols);
    for (let i = 0; i < cols; i++) identity[i * cols + i] = 1;
    const { Y } = await session.run({ A: new ort.Tensor('float32', identity, [cols, cols]) });
    await session.release();
    const expected = dequantize(packed, scales, rows, cols, bits);
    const transposed = Float64Array.from(expected, (_, i) => {
      const [col, row] = [Math.floor(i / rows), i % rows];
      return expected[row * cols + col]!;
    });
    expect(Y!.dims).toEqual([cols, rows]);
    expect(Float64Array.from(Y!.data as Float32Array)).toEqual(transposed); // scales are exact: no rounding
  });

  function matMulNBits(packed: Uint8Array, scales: Float32Array, bits: number): Uint8Array {
    const nodes = new Nodes('');
    const weights = new Initializers();
    weights.inline('B', elementType.uint8, [rows, cols / 32, 4 * bits], packed);
    weights.inline('S', elementType.float, [scales.length], scales);
    nodes.add('MatMulNBits', 'Y', ['A', 'B', 'S'], {
      K: { int: cols },
      N: { int: rows },
      bits: { int: bits },
      block_size: { int: 32 },
    });
    return toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        irVersion: 8n,
        opsetImport: [
          { domain: '', version: 17n },
          { domain: 'com.microsoft', version: 1n },
        ],
        graph: {
          name: 'g',
          node: nodes.list,
          initializer: weights.list,
          input: [valueInfo('A', elementType.float, [cols, cols])],
          output: [valueInfo('Y', elementType.float, [cols, rows])],
        },
      }),
    );
  }
});
