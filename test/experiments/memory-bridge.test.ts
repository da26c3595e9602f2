import { expect, it } from 'vitest';
import {
  addProduct,
  fitMemoryBridge,
  type TextStates,
} from '../../experiments/lib/memory-bridge.js';
import { Random } from '../../src/random.js';
import { unitNorm } from '../../src/search/bridges/unit-norm.js';

const SIZE = 6;
const EPS = 1e-5;

it('finds the maps that states follow, and what a plain bridge cannot see', () => {
  const random = new Random(3);
  const normals = (count: number, scale: number) =>
    Float32Array.from({ length: count }, () => scale * random.normal());
  const weight = normals(SIZE * SIZE, 0.5);
  const memory = normals(SIZE * SIZE, 0.5);
  const bias = normals(SIZE, 0.3);
  const texts = Array.from({ length: 40 }, (): TextStates => {
    const before = normals(50 * SIZE, 1);
    const after = normals(before.length, 1);
    for (let at = SIZE; at < before.length; at += SIZE) {
      const a = before.subarray(at, at + SIZE);
      const b = after.subarray(at, at + SIZE);
      for (let i = 0; i < SIZE; i++) b[i] = a[i]! + bias[i]!;
      addProduct(b, unitNorm(a, SIZE, EPS), weight, SIZE);
      addProduct(b, unitNorm(after.subarray(at - SIZE, at), SIZE, EPS), memory, SIZE);
    }
    return { before, after };
  });
  const furthest = (a: Float32Array, b: Float32Array) =>
    Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
  const fitted = fitMemoryBridge(texts, SIZE, EPS, true);
  // The ridge draws them in by about a hundredth.
  expect(furthest(fitted.weight, weight)).toBeLessThan(0.03);
  expect(furthest(fitted.memory, memory)).toBeLessThan(0.03);
  expect(furthest(fitted.bias, bias)).toBeLessThan(0.03);
  const plain = fitMemoryBridge(texts, SIZE, EPS, false);
  expect(plain.memory.every((x) => x === 0)).toBe(true);
  expect(furthest(plain.bias, bias)).toBeGreaterThan(0.03);
});
