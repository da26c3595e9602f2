import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/checkpoint/model-config.js';
import type { Engine } from '../../src/engine/engine.js';
import { quantisationBlock, quantiseChannels, quantiseRows } from '../../src/graph/quantise.js';
import { Rotation } from '../../src/graph/rotation.js';
import { dequantize } from '../helpers/dequantize.js';
import { loadEngine } from '../helpers/engine.js';
import { logitDistance, randomMask, randomTokens, skippedSublayers } from '../helpers/logits.js';
import { type MiniatureOptions, writeMiniature } from '../helpers/miniature.js';
import { readWeights, type Weights } from '../helpers/read-weights.js';
import { referenceLogits } from '../helpers/reference.js';
import { temporaryDirectory } from '../helpers/temporary.js';

/**
 * Root mean square error of the logits, in their standard deviations, that the rounding of activations may cause. The
 * runtime rounds the input of a product to 8 bits in blocks of 32 to 128: steps of max|x| / 127, about 2.1 to 2.6
 * deviations over 127, so an error of 0.005 to 0.006 deviations (a step over sqrt 12). A product of such errors with
 * independent weights has the same relative error; four layers of two sublayers with two rounded products each and the
 * head add up, in squares, to sqrt(17) * 0.006 = 0.025 where every error reaches the logits undiminished. The nonlinear
 * parts (SiLU, softmax over large scores) amplify it, in these random networks to about twice that: the bound leaves
 * room, and rounding the weights to 4 bits instead must move the logits by several times the bound, or it would tell
 * nothing.
 */
const tolerance = 0.08;

const variants: [string, MiniatureOptions][] = [
  ['tied', { tied: true }],
  ['untied, biases', { attentionBias: true, mlpBias: true }],
  ['widths off 32', { heads: 3, kvHeads: 1, headDim: 16, intermediateSize: 72 }],
];

/**
 * A checkpoint's weights as they are after quantisation: every matrix, none of the vectors. Those of 8 bits were rotated before it
 * and are rotated back: products with hidden states, norm included, have a scale by row, the others blocks.
 */
function dequantised(weights: Weights, config: ModelConfig, bits: 8 | 4): Weights {
  const { hiddenSize, intermediateSize, heads, headDim } = config;
  const columnsOf = (name: string) => {
    if (name.includes('o_proj')) return heads * headDim;
    return name.includes('down_proj') ? intermediateSize : hiddenSize;
  };
  const rotation = new Rotation(hiddenSize);
  const rotate = (matrix: Float32Array, writesState: boolean, way: 'there' | 'back') =>
    writesState ? rotation.columns(matrix, way) : rotation.rows(matrix, way);
  const block = quantisationBlock(bits === 8 ? 'int8' : 'int4', hiddenSize);
  return (name) => {
    const values = Float32Array.from(weights(name));
    const isMatrix = /(proj|embed_tokens|lm_head)\.weight$/.test(name);
    if (!isMatrix) return values;
    const columns = columnsOf(name);
    const rows = values.length / columns;
    if (bits === 8) {
      const writesState = /(o_proj|down_proj)\.weight$/.test(name);
      const normName = normBefore(name);
      const norm = normName && weights(normName);
      if (norm) for (let i = 0; i < values.length; i++) values[i]! *= norm[i % columns]!;
      rotate(values, writesState, 'there');
      if (writesState || name.includes('embed_tokens')) {
        const { packed, scales } = quantiseRows(values, rows, columns, 8, block);
        values.set(dequantize(packed, scales, rows, columns, 8, block));
      } else {
        const integers = new Int8Array(values.length);
        const scales = quantiseChannels(values, columns, integers, 0);
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++)
            values[row * columns + column] = integers[column * rows + row]! * scales[row]!;
      }
      rotate(values, writesState, 'back');
      if (norm) for (let i = 0; i < values.length; i++) values[i]! /= norm[i % columns]!;
      return values;
    }
    const { packed, scales } = quantiseRows(values, rows, columns, bits, block);
    return dequantize(packed, scales, rows, columns, bits, block);
  };
}

/** The norm whose weights a matrix takes in. */
function normBefore(name: string): string | null {
  if (name.startsWith('lm_head')) return 'model.norm.weight';
  const layer = /^model\.layers\.\d+\./.exec(name)?.[0];
  if (/[qkv]_proj/.test(name)) return `${layer}input_layernorm.weight`;
  return /(gate|up)_proj/.test(name) ? `${layer}post_attention_layernorm.weight` : null;
}

describe.each(variants)('engines against float64 on dequantised weights: %s', (_name, options) => {
  const directory = temporaryDirectory();
  const { config } = writeMiniature(directory, { vocabSize: 128, contextLength: 128, ...options });
  const weights = readWeights(directory);
  const tokens = randomTokens(70, config.vocabSize, 11);
  const mask = randomMask(config.layers, 4);
  const skipped = skippedSublayers(mask, config.layers);
  const engines = new Map<8 | 4, Engine>();
  beforeAll(async () => {
    engines.set(8, await loadEngine(directory, 'int8', 1, 'gated'));
    engines.set(4, await loadEngine(directory, 'int4', 1, 'gated'));
  });
  afterAll(() => Promise.all([...engines.values()].map((engine) => engine.close())));

  it.each([
    ['the full model', undefined],
    ['with sublayers skipped', mask],
  ])('%s', async (_what, draft) => {
    const expected = (from: Weights) =>
      referenceLogits(config, from, tokens, draft ? skipped : undefined);
    const unquantised = expected(weights);
    for (const bits of [8, 4] as const) {
      const engine = engines.get(bits)!;
      const gates = draft ? engine.gates(draft) : engine.target;
      const actual = await engine.forward(engine.createCache(70), tokens, 0, gates, 'all');
      const near = logitDistance(actual, expected(dequantised(weights, config, bits))).rms;
      const far = logitDistance(actual, unquantised).rms;
      expect(near, `${bits} bits`).toBeLessThan(tolerance);
      if (bits === 4) expect(far).toBeGreaterThan(3 * tolerance);
    }
  });
});
