import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dequantise } from '../../src/checkpoint/ggml/dequantise.js';
import type { LayerOptions } from '../../src/checkpoint/model-config.js';
import { modelTensors } from '../../src/checkpoint/model-tensors.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import type { Engine } from '../../src/engine/engine.js';
import { selfCheck } from '../../src/engine/self-check.js';
import { compileModel, graphVersion } from '../../src/graph/compile.js';
import { keepBlocks } from '../../src/graph/kept-blocks.js';
import { planStorage } from '../../src/graph/layout.js';
import type { Precision } from '../../src/graph/quantise.js';
import { dequantize } from '../helpers/dequantize.js';
import { loadEngine } from '../helpers/engine.js';
import { toBlocks, type WrittenType } from '../helpers/gguf-blocks.js';
import { writeGgufMiniature } from '../helpers/gguf-miniature.js';
import { logitDistance, randomMask, randomTokens, skippedSublayers } from '../helpers/logits.js';
import type { MiniatureOptions } from '../helpers/miniature.js';
import { normals } from '../helpers/random.js';
import { referenceLogits } from '../helpers/reference.js';

describe('keepBlocks', () => {
  it.each([
    ['Q4_0', 4],
    ['Q4_0', 8],
    ['Q4_1', 4],
    ['Q4_1', 8],
    ['Q4_K', 4],
    ['Q4_K', 8],
    ['Q8_0', 8],
  ] as const)('holds the values of %s in %i bits', (type, bits) => {
    const [rows, columns] = [3, 512];
    const bytes = toBlocks(type, normals(rows * columns, 5, 0.02));
    const expected = new Float32Array(rows * columns);
    dequantise(type, bytes, expected);
    const { packed, scales, offsets } = keepBlocks(type, bytes, bits);
    const values = dequantize(packed, scales, rows, columns, bits);
    const kept = values.map((value, i) => value + (offsets?.[i >> 5] ?? 0));
    // Sums of float32 products, rounded at different places.
    const furthest = kept.reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!)), 0);
    expect(furthest).toBeLessThan(2e-8);
    expect(new Set(expected).size).toBeGreaterThan(100);
  });
});

/** As in quantised.test.ts: what the rounding of activations may move the logits by, in their standard deviations. */
const tolerance = 0.08;
const wide = { hiddenSize: 256, intermediateSize: 256, heads: 4, layers: 2 };

const models: [string, Precision, MiniatureOptions, (name: string) => WrittenType][] = [
  ['Q4_0, tied', 'int4', { tied: true }, () => 'Q4_0'],
  [
    'Q4_1, tied to a Q8_0 embedding',
    'int4',
    { tied: true },
    (name) => (name.startsWith('token') ? 'Q8_0' : 'Q4_1'),
  ],
  [
    'Q4_1, its embedding too, with biases and a float head',
    'int4',
    { attentionBias: true, mlpBias: true },
    (name) => (name.startsWith('output') ? 'F16' : 'Q4_1'),
  ],
  [
    'Q4_K with Q8_0 values and float32 down',
    'int4',
    wide,
    (name) => (name.includes('attn_v') ? 'Q8_0' : name.includes('ffn_down') ? 'F32' : 'Q4_K'),
  ],
];

describe.each(models)('blocks of a GGUF file are kept: %s', (_name, precision, options, typeOf) => {
  const file = writeGgufMiniature({ vocabSize: 128, contextLength: 128, ...options }, typeOf);
  const checkpoint = openCheckpoint(file);
  const { config } = checkpoint;
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine(file, precision, 1, 'gated');
  });
  afterAll(async () => {
    checkpoint.close();
    await engine.close();
  });
  const values = (name: string) => {
    const tensor = checkpoint.identity.get(name)!;
    return checkpoint.readRows(tensor, 0, tensor.shape[0]!);
  };

  it('the logits are those of the file', async () => {
    const tokens = randomTokens(70, config.vocabSize, 11);
    const mask = randomMask(config.layers, 4);
    for (const draft of [undefined, mask]) {
      const skipped = draft && skippedSublayers(draft, config.layers);
      const expected = referenceLogits(config, values, tokens, skipped);
      const gates = draft ? engine.gates(draft) : engine.target;
      const actual = await engine.forward(engine.createCache(70), tokens, 0, gates, 'all');
      expect(logitDistance(actual, expected).rms).toBeLessThan(tolerance);
    }
  });

  it('a pass of several tokens has the bits of passes of one', async () => {
    expect((await selfCheck(engine)).different).toEqual([]);
  });

  it('its sublayers run one by one, for calibration', async () => {
    const sublayers = await engine.loadSublayers();
    await sublayers.close();
  });
});

describe('planStorage', () => {
  const bitsOf = (
    typeOf: (name: string) => WrittenType,
    precision: Precision,
    layers: Partial<LayerOptions> = {},
  ) => {
    const checkpoint = openCheckpoint(writeGgufMiniature({ ...wide, layers: 1 }, typeOf));
    const { matrices, layouts } = planStorage(
      { ...checkpoint.config, ...layers },
      modelTensors(checkpoint),
      precision,
    );
    const { qkv, output, down } = matrices.layers[0]!;
    return [matrices.embedding, matrices.head!, qkv, output, down].map((matrix) => {
      const layout = layouts.get(matrix)!;
      if (layout.form !== 'blocks') return layout.form;
      return `${layout.precision}/${layout.block}${layout.offsets ? '+' : ''} ${layout.kept.size}`;
    });
  };

  it('keeps Q8_0 in int8 where states cannot be rotated, and quantises the rest in long blocks', () => {
    const all = (name: string) => (name.includes('attn_') ? 'Q8_0' : 'Q4_1');
    expect(bitsOf(all, 'int8', { norms: 'both' })).toEqual([
      ...['int8/64 0', 'int8/64 0', 'int8/32 3', 'int8/32 1', 'int8/64 0'],
    ]);
  });

  it('gives 8 bits in int4 only where a file of 4 bits has more', () => {
    const outer = (name: string) => /^token|^output\./.test(name);
    expect(bitsOf((name) => (outer(name) ? 'Q8_0' : 'Q4_0'), 'int4')).toEqual([
      ...['int8/32 1', 'int8/32 1', 'int4/32 3', 'int4/32 1', 'int4/32 1'],
    ]);
    expect(bitsOf((name) => (name.includes('attn_v') ? 'F16' : 'Q4_1'), 'int4')).toEqual([
      ...['int4/32+ 1', 'int4/32+ 1', 'int8/32+ 2', 'int4/32+ 1', 'int4/32+ 1'],
    ]);
    expect(bitsOf(() => 'Q8_0', 'int4')).toEqual(Array(5).fill('int4/32 0'));
    expect(bitsOf(() => 'F16', 'int4')).toEqual(Array(5).fill('int4/32 0'));
  });

  it('multiplies integers where states are rotated, and keeps no blocks', () => {
    expect(bitsOf((name) => (name.includes('attn_') ? 'Q8_0' : 'Q4_1'), 'int8')).toEqual([
      ...['int8/64 0', 'channels', 'channels', 'int8/64 0', 'int8/64 0'],
    ]);
    expect(bitsOf(() => 'Q8_0', 'fp32')).toEqual(Array(5).fill('floats'));
  });
});

describe('the name of a compiled model', () => {
  it('changes where blocks are kept, and nowhere else', async () => {
    const key = async (type: WrittenType, precision: Precision) => {
      const file = writeGgufMiniature({ layers: 1, vocabSize: 32, contextLength: 64 }, () => type);
      const compiled = await compileModel(openCheckpoint(file), precision);
      const shape = { context: 64, precision, version: graphVersion };
      const plain = createHash('sha256')
        .update(`${compiled.weightsHash} ${JSON.stringify(shape)}`)
        .digest('hex')
        .slice(0, 32);
      return compiled.key === plain;
    };
    expect(await key('Q4_0', 'int4')).toBe(false);
    expect(await key('Q8_0', 'int8')).toBe(true);
    expect(await key('Q8_0', 'int4')).toBe(true);
    expect(await key('Q4_0', 'int8')).toBe(true);
    expect(await key('Q4_0', 'fp32')).toBe(true);
  });
});
