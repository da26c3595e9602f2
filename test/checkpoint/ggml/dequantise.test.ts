import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dequantise } from '../../../src/checkpoint/ggml/dequantise.js';
import { ggmlTypes, isGgmlType } from '../../../src/checkpoint/ggml/types.js';

/** Made by make-vectors.py beside it: what the Python package gguf gives. */
const file = new URL('../../data/gguf/vectors.json', import.meta.url);
const vectors = z
  .record(z.string(), z.object({ bytes: z.base64(), values: z.base64() }))
  .parse(JSON.parse(readFileSync(file, 'utf8')));

describe('dequantisation', () => {
  it('has a vector of every type but float32', () => {
    expect(Object.keys(vectors).sort()).toEqual(
      Object.keys(ggmlTypes)
        .filter((type) => type !== 'F32')
        .sort(),
    );
  });

  it.each(Object.entries(vectors))('%s equals the gguf package, value by value', (type, vector) => {
    if (!isGgmlType(type)) throw new Error(type);
    const bytes = new Uint8Array(Buffer.from(vector.bytes, 'base64'));
    const expected = new Float32Array(new Uint8Array(Buffer.from(vector.values, 'base64')).buffer);
    const out = new Float32Array(expected.length);
    dequantise(type, bytes, out);
    // Adding 0 makes one of the two zeros, which the package and float64 products can tell apart.
    expect(out.map((value) => value + 0)).toEqual(expected.map((value) => value + 0));

    const shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    const again = new Float32Array(expected.length);
    dequantise(type, shifted, again);
    expect(again).toEqual(out);
  });

  it('copies float32', () => {
    const values = Float32Array.of(1.5, -0.25, 3e-40);
    const out = new Float32Array(3);
    dequantise('F32', new Uint8Array(values.buffer), out);
    expect(out).toEqual(values);
  });

  it('refuses lengths that do not fit', () => {
    expect(() => dequantise('Q4_1', new Uint8Array(21), new Float32Array(32))).toThrow(RangeError);
    expect(() => dequantise('Q4_1', new Uint8Array(20), new Float32Array(31))).toThrow(RangeError);
  });
});
