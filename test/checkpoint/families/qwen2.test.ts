import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseModelConfig } from '../../../src/checkpoint/config.js';
import { openCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
import { complete } from '../../../src/decoding/generate.js';
import type { Engine } from '../../../src/engine/engine.js';
import { selfCheck } from '../../../src/engine/self-check.js';
import { type Precision, precisions } from '../../../src/graph/quantise.js';
import { loadEngine } from '../../helpers/engine.js';
import { toGguf } from '../../helpers/gguf-miniature.js';
import { logitDistance, randomTokens } from '../../helpers/logits.js';
import { writeMiniature } from '../../helpers/miniature.js';
import { readWeights } from '../../helpers/read-weights.js';
import { referenceLogits } from '../../helpers/reference.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { TINY_CONFIG } from '../fixtures.js';

const biases = { q: true, k: true, v: true };
const options = { modelType: 'qwen2', biases, ropeTheta: 1e6, vocabSize: 128, contextLength: 128 };
const folder = writeMiniature(temporaryDirectory(), { ...options, tied: true }).directory;

describe.each<[string, string]>([
  ['a folder', folder],
  ['a GGUF file', toGguf(folder, () => 'F32', join(temporaryDirectory(), 'model.gguf'))],
])('Qwen2 in %s', (_, path) => {
  const engines: Engine[] = [];
  const load = async (precision: Precision) => {
    const engine = await loadEngine(path, precision, 1, 'gated');
    engines.push(engine);
    return engine;
  };
  afterAll(async () => {
    for (const engine of engines) await engine.close();
  });

  it('has biases on q, k and v alone, and no rotation of its own', () => {
    const { config, tensors } = openCheckpoint(path);
    expect(config).toMatchObject({
      ...{ modelType: 'qwen2', slidingWindow: null, tiedEmbeddings: true, ropeTheta: 1e6 },
      biases: { q: true, k: true, v: true, o: false, gate: false, up: false, down: false },
    });
    expect([...tensors.values()].filter(({ interleavedHeads }) => interleavedHeads)).toEqual([]);
  });

  it('gives the logits of a pass in float64', async () => {
    const engine = await load('fp32');
    const tokens = randomTokens(90, engine.config.vocabSize, 4);
    const expected = referenceLogits(engine.config, readWeights(folder), tokens);
    const cache = engine.createCache(tokens.length);
    const logits = await engine.forward(cache, tokens, 0, engine.target, 'all');
    expect(logitDistance(logits, expected).max).toBeLessThan(1e-4);
  });

  it.each(precisions)(
    'a pass of several tokens has the bits of passes of one in %s',
    async (precision) => {
      expect((await selfCheck(await load(precision))).different).toEqual([]);
    },
  );
});

/** Made by transformers, see make-checkpoint.py beside it. */
const published = join(import.meta.dirname, '../../data/qwen2/tiny-qwen2');
const golden = z
  .object({
    prompt: z.array(z.int()),
    greedy: z.array(z.int()),
    logits_of_prompt_end: z.array(z.number()),
    logits_of_last: z.array(z.number()),
  })
  .parse(JSON.parse(readFileSync(join(published, 'golden.json'), 'utf8')));

describe.each<[string, () => string]>([
  ['its own file', () => published],
  ['a GGUF file', () => toGguf(published, () => 'F32', join(temporaryDirectory(), 'model.gguf'))],
])('a Qwen2 saved by transformers, in %s', (_, pathOf) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine(pathOf(), 'fp32', 1, 'gated');
  });
  afterAll(() => engine.close());

  it('gives the logits that transformers does', async () => {
    const { config } = engine;
    const { prompt, greedy } = golden;
    const ids = [...prompt, ...greedy];
    const cache = engine.createCache(ids.length);
    const logits = await engine.forward(cache, ids, 0, engine.target, 'all');
    const furthest = (position: number, expected: number[]) =>
      logitDistance(logits.slice(position * config.vocabSize, (position + 1) * config.vocabSize), [
        expected,
      ]).max;
    expect(furthest(prompt.length - 1, golden.logits_of_prompt_end)).toBeLessThan(1e-4);
    expect(furthest(ids.length - 1, golden.logits_of_last)).toBeLessThan(1e-4);
  });

  it('gives the greedy tokens that transformers does', async () => {
    const { prompt, greedy } = golden;
    const request = { prompt, maxNewTokens: greedy.length, ignoreEos: true };
    expect((await complete(engine, request)).tokens).toEqual(greedy);
  });

  it('a pass of several tokens has the bits of passes of one', async () => {
    expect((await selfCheck(engine)).different).toEqual([]);
  });
});

describe('the window of a Qwen2', () => {
  const parse = (changes: object) =>
    parseModelConfig(
      { ...TINY_CONFIG, model_type: 'qwen2', num_hidden_layers: 4, ...changes },
      'm/config.json',
    );
  it('is there only where config.json asks for it', () => {
    expect(parse({ sliding_window: 8 }).slidingWindow).toBeNull();
    const used = { use_sliding_window: true, sliding_window: 8 };
    expect(parse(used).slidingWindow).toBeNull();
    expect(parse({ ...used, max_window_layers: 4 }).slidingWindow).toBeNull();
    expect(parse({ ...used, max_window_layers: 0 }).slidingWindow).toBe(8);
    expect(parse({ ...used, max_window_layers: 2 })).toMatchObject({
      ...{ slidingWindow: 8, windowedLayers: [2, 3] },
    });
    const types = (windowed: number) =>
      Array.from({ length: 4 }, (_, i) => (i < windowed ? 'sliding_attention' : 'full_attention'));
    expect(parse({ ...used, layer_types: types(4) }).slidingWindow).toBe(8);
    expect(
      parse({ ...used, max_window_layers: 0, layer_types: types(0) }).slidingWindow,
    ).toBeNull();
    expect(parse({ ...used, layer_types: types(1) }).windowedLayers).toEqual([0]);
  });

  it('bos and eos are none where config.json says nothing', () => {
    const { bos_token_id: _b, eos_token_id: _e, ...rest } = TINY_CONFIG;
    const config = parseModelConfig({ ...rest, model_type: 'qwen2' }, 'm/config.json');
    expect([config.bosTokenId, config.eosTokenIds]).toEqual([null, []]);
  });
});
