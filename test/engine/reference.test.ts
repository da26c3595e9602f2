import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type { Gates } from '../../src/engine/gates.js';
import type { SkipMask } from '../../src/profile/mask.js';
import { hasShared, loadEngine, shared } from '../helpers/engine.js';
import { logitDistance, randomMask, randomTokens, skippedSublayers } from '../helpers/logits.js';
import { type MiniatureOptions, writeMiniature } from '../helpers/miniature.js';
import { readWeights } from '../helpers/read-weights.js';
import { createReference, referenceLogits } from '../helpers/reference.js';
import { temporaryDirectory } from '../helpers/temporary.js';

/** Single precision, in standard deviations of the logits. */
const tolerance = 1e-4;
/** Several blocks of positions, and more than two prefill chunks. */
const length = 140;

const variants: [string, MiniatureOptions][] = [
  ['grouped-query', {}],
  ['multi-query', { kvHeads: 1 }],
  ['multi-head', { kvHeads: 4 }],
  ['attention and MLP biases', { attentionBias: true, mlpBias: true }],
  ['attention biases alone', { attentionBias: true, kvHeads: 4 }],
  ['tied', { tied: true }],
  ['tied, stored as lm_head alone', { tied: true, storeHeadOnly: true }],
  ['sharded', { shards: 3 }],
  ['F16', { dtype: 'F16' }],
  ['BF16, sharded and tied', { dtype: 'BF16', shards: 2, tied: true }],
  ['head_dim above hidden / heads', { heads: 6, kvHeads: 3, headDim: 32 }],
  ['head_dim below hidden / heads', { heads: 2, kvHeads: 1, headDim: 16 }],
  ['hidden and intermediate sizes off 32', { hiddenSize: 40, headDim: 12, intermediateSize: 72 }],
  ['another rope_theta', { ropeTheta: 500 }],
  ['linear rope scaling', { ropeScaling: { type: 'linear', factor: 4 } }],
  [
    // Frequencies that are kept, blended and divided, two or more of each.
    'llama3 rope scaling',
    {
      headDim: 32,
      ropeScaling: {
        type: 'llama3',
        factor: 8,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalContextLength: 64,
      },
    },
  ],
  ['sliding window within a block', { slidingWindow: 7 }],
  ['sliding window over a block border', { slidingWindow: 40 }],
  ['sliding window of a block', { slidingWindow: 64 }],
  ['sliding window over several blocks', { slidingWindow: 100, kvHeads: 4 }],
];

/** Logits of every token, run in chunks of these sizes (repeated). */
async function run(engine: Engine, tokens: number[], gates: Gates, chunks: number[]) {
  const cache = engine.createCache(tokens.length);
  const logits: number[] = [];
  for (let at = 0, c = 0; at < tokens.length; c++) {
    const chunk = tokens.slice(at, at + chunks[c % chunks.length]!);
    logits.push(...(await engine.forward(cache, chunk, at, gates, 'all')));
    at += chunk.length;
  }
  return logits;
}

describe.each(variants)('fp32 logits against float64: %s', (_name, options) => {
  const directory = temporaryDirectory();
  const { config } = writeMiniature(directory, { contextLength: 256, vocabSize: 128, ...options });
  const weights = readWeights(directory);
  const tokens = randomTokens(length, config.vocabSize, 5);
  const masks = [1, 2].map((seed) => randomMask(config.layers, seed));
  const skipped = (mask: SkipMask) => skippedSublayers(mask, config.layers);
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine(directory, 'fp32', 1, 'gated');
  });
  afterAll(() => engine.close());

  it('every position of the full model, in chunks that cross the blocks', async () => {
    const expected = referenceLogits(config, weights, tokens);
    for (const chunks of [[1], [64], [60, 9, 3, 57, 1]]) {
      const actual = await run(engine, tokens, engine.target, chunks);
      expect(logitDistance(actual, expected).max, `chunks ${chunks}`).toBeLessThan(tolerance);
    }
    const last = await engine.prefill(engine.createCache(length), tokens);
    expect(logitDistance(last, expected.slice(-1)).max).toBeLessThan(tolerance);
  });

  it('a sequence run with sublayers skipped throughout', async () => {
    for (const mask of masks) {
      const actual = await run(engine, tokens, engine.gates(mask), [61, 1, 5]);
      const expected = referenceLogits(config, weights, tokens, skipped(mask));
      expect(logitDistance(actual, expected).max, JSON.stringify(mask)).toBeLessThan(tolerance);
    }
  });

  // What decoding does: the full model's keys and values before, the draft's own from there, then the full model again.
  it('drafts over a full cache across the block borders, and the target after them', async () => {
    const reference = createReference(config, weights);
    const cache = engine.createCache(length);
    await engine.prefill(cache, tokens);
    for (const token of tokens) reference.step(token);
    for (const start of [127, 125, 62, 59]) {
      const mask = masks[start % 2]!;
      const gates = engine.gates(mask);
      const drafted = randomTokens(7, config.vocabSize, start);
      const actual: number[] = [];
      for (const [j, token] of drafted.entries()) {
        actual.push(...(await engine.forward(cache, [token], start + j, gates, 'last')));
      }
      reference.truncate(start);
      const expected = drafted.map((token) => reference.step(token, skipped(mask)));
      const at = `from ${start}, ${JSON.stringify(mask)}`;
      expect(logitDistance(actual, expected).max, at).toBeLessThan(tolerance);

      const kept = tokens.slice(start, start + 8);
      const restored = await engine.forward(cache, kept, start, engine.target, 'all');
      reference.truncate(start);
      const again = kept.map((token) => reference.step(token));
      expect(logitDistance(restored, again).max, at).toBeLessThan(tolerance);
    }
  });
});

describe.skipIf(!hasShared)('a published checkpoint (skipped without ../shared)', () => {
  it("tinystories-656k: its prompt's last logits, computed elsewhere", async () => {
    const directory = join(shared, 'models', 'tinystories-656k');
    const golden = JSON.parse(readFileSync(join(directory, 'golden_greedy.json'), 'utf8')) as {
      prompt_ids: number[];
      last_logits_first16: number[];
    };
    const engine = await loadEngine(directory, 'fp32', 1);
    const cache = engine.createCache(golden.prompt_ids.length);
    const logits = await engine.prefill(cache, golden.prompt_ids);
    const { max } = logitDistance(logits.subarray(0, 16), [golden.last_logits_first16]);
    expect(max).toBeLessThan(tolerance);
    await engine.close();
  });
});
