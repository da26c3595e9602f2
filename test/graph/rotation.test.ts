import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { llamaLayers, noBiases } from '../../src/checkpoint/model-config.js';
import { checkpointBridge, compiledBridge } from '../../src/graph/rotated-bridge.js';
import { Rotation } from '../../src/graph/rotation.js';
import type { Bridge } from '../../src/profile/draft-plan.js';
import { normals } from '../helpers/random.js';

/** Powers of two, three odd factors, and none but odd ones. */
const sizes = [1, 2, 64, 96, 576, 100, 45];

/** Q, written out: the images of the unit vectors, rows by input. */
function matrixOf(size: number): Float32Array {
  const q = new Float32Array(size * size);
  for (let i = 0; i < size; i++) q[i * size + i] = 1;
  new Rotation(size).rows(q);
  return q;
}

describe.each(sizes)('a rotation of %i values', (size) => {
  const q = matrixOf(size);
  const rotation = new Rotation(size);

  it('is orthogonal', () => {
    for (let a = 0; a < size; a++)
      for (let b = 0; b <= a; b++) {
        let product = 0;
        for (let i = 0; i < size; i++) product += q[a * size + i]! * q[b * size + i]!;
        expect(product).toBeCloseTo(a === b ? 1 : 0, 5);
      }
  });

  // The kernels get 256 columns at a time.
  it.each([21, 256, 300])(
    'multiplies %i rows by Q and columns by its transpose, and back',
    (count) => {
      const values = normals(count * size, 3, 1);
      const rows = Float32Array.from(values);
      rotation.rows(rows);
      // The transpose, [size, count]: its columns are the rows above.
      const columns = Float32Array.from(
        values,
        (_, at) => values[(at % count) * size + Math.floor(at / count)]!,
      );
      const before = columns.slice();
      rotation.columns(columns);
      for (let row = 0; row < count; row++)
        for (let i = 0; i < size; i++) {
          let expected = 0;
          for (let j = 0; j < size; j++) expected += values[row * size + j]! * q[j * size + i]!;
          expect(rows[row * size + i]).toBeCloseTo(expected, 4);
          expect(columns[i * count + row]).toBeCloseTo(expected, 4);
        }
      rotation.rows(rows, 'back');
      rotation.columns(columns, 'back');
      for (const [i, value] of values.entries()) expect(rows[i]).toBeCloseTo(value, 4);
      for (const [i, value] of before.entries()) expect(columns[i]).toBeCloseTo(value, 4);
    },
  );
});

it('rows may be multiplied by factors before, to the bit', () => {
  const [size, count] = [96, 7];
  const values = normals(count * size, 3, 1);
  const factors = normals(size, 5, 1);
  const first = values.map((value, i) => value * factors[i % size]!);
  const rotation = new Rotation(size);
  rotation.rows(first);
  rotation.rows(values, 'there', factors);
  expect(values).toEqual(first);
});

describe('what a rotation is for', () => {
  it.each([64, 576, 2048])('an outlier among %i features is spread over all', (size) => {
    fc.assert(
      fc.property(fc.nat(size - 1), (feature) => {
        const state = new Float32Array(size);
        state[feature] = Math.sqrt(size);
        new Rotation(size).rows(state);
        expect(Math.max(...state.map(Math.abs))).toBeLessThan(1.5);
      }),
      { numRuns: 20 },
    );
  });
});

describe('bridges between rotated states', () => {
  const d = 32;
  const config = {
    ...llamaLayers,
    ...{ modelType: 'llama', hiddenSize: d, intermediateSize: d, layers: 1, heads: 1, kvHeads: 1 },
    ...{ headDim: d, vocabSize: 8, contextLength: 8, rmsNormEps: 1e-5, ropeTheta: 1e4 },
    ...{ ropeScaling: null, biases: noBiases, tiedEmbeddings: true, slidingWindow: null },
    ...{ bosTokenId: null, eosTokenIds: [] },
  };
  const bridge = {
    ...{ from: 0, to: 2, weight: Float32Array.from(normals(d * d, 5, 1)) },
    memory: Float32Array.from(normals(d * d, 8, 1)),
    bias: Float32Array.from(normals(d, 6, 1)),
  };

  it('map a rotated state to the rotated result', () => {
    const state = Float32Array.from(normals(d, 7, 1));
    const past = Float32Array.from(normals(d, 9, 1));
    const apply = ({ weight, memory, bias }: Bridge) =>
      Float32Array.from({ length: d }, (_, i) => {
        let sum = bias[i]!;
        for (let j = 0; j < d; j++)
          sum += state[j]! * weight[j * d + i]! + past[j]! * memory![j * d + i]!;
        return sum;
      });
    const expected = apply(bridge);
    const rotation = new Rotation(d);
    for (const values of [expected, state, past]) rotation.rows(values);
    const actual = apply(compiledBridge(bridge, { config, precision: 'int8' }));
    for (let i = 0; i < d; i++) expect(actual[i]).toBeCloseTo(expected[i]!, 4);
  });

  it('leave the bridge that they were made from as it was, and have no memory where it has none', () => {
    const { memory: _, ...plain } = bridge;
    const before = structuredClone(bridge);
    compiledBridge(bridge, { config, precision: 'int8' });
    expect(bridge).toEqual(before);
    expect(compiledBridge(plain, { config, precision: 'int8' })).not.toHaveProperty('memory');
  });

  it('come back as they were, and stay as they are where nothing is rotated', () => {
    const there = compiledBridge(bridge, { config, precision: 'int8' });
    const back = checkpointBridge(there, { config, precision: 'int8' });
    for (const part of ['weight', 'memory', 'bias'] as const)
      for (const [i, value] of bridge[part].entries()) expect(back[part]![i]).toBeCloseTo(value, 4);
    expect(compiledBridge(bridge, { config, precision: 'fp32' })).toBe(bridge);
  });
});
