import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type MiniatureOptions, writeMiniature } from './miniature.js';
import { normals } from './random.js';
import { readWeights } from './read-weights.js';
import { argmax, createReference, referenceGreedy } from './reference.js';
import { temporaryDirectory } from './temporary.js';

const write = (options: MiniatureOptions = {}) => writeMiniature(temporaryDirectory(), options);
const bytesOf = (directory: string) => readFileSync(join(directory, 'model.safetensors'));
const configOf = (directory: string) =>
  JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'));

describe('randomness', () => {
  test('normals have the asked mean and deviation', () => {
    const values = normals(100_000, 7, 2, 5);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(5, 1);
    expect(Math.sqrt(variance)).toBeCloseTo(2, 1);
  });

  test('the same options give the same bytes, another seed others', () => {
    const [first, second] = [3, 3].map((seed) => bytesOf(write({ seed }).directory));
    expect(first!.equals(second!)).toBe(true);
    const [a, b] = [3, 4].map((seed) => readWeights(write({ seed }).directory));
    for (const name of ['model.embed_tokens.weight', 'model.layers.1.mlp.down_proj.weight'])
      expect(a!(name)).not.toEqual(b!(name));
  });
});

describe('storage', () => {
  const plain = readWeights(write({ tied: true, attentionBias: true }).directory);
  const names = ['lm_head.weight', 'model.layers.2.self_attn.k_proj.bias', 'model.norm.weight'];

  test.each([
    ['sharded', { shards: 3 }],
    ['tied under the head name', { storeHeadOnly: true }],
  ])('%s holds the same model', (_, options) => {
    const { directory } = write({ tied: true, attentionBias: true, ...options });
    const weights = readWeights(directory);
    for (const name of names) expect(weights(name)).toEqual(plain(name));
    if ('shards' in options)
      expect(readdirSync(directory).filter((file) => file.endsWith('.safetensors'))).toHaveLength(
        3,
      );
    else expect(bytesOf(directory).includes('"model.embed_tokens.weight"')).toBe(false);
  });

  test.each([
    ['F16', 2 ** -11],
    ['BF16', 2 ** -8],
  ] as const)('%s holds it rounded', (dtype, relativeError) => {
    const weights = readWeights(write({ tied: true, attentionBias: true, dtype }).directory);
    for (const name of names) {
      const exact = plain(name);
      const rounded = weights(name);
      expect(rounded).not.toEqual(exact);
      exact.forEach((x, i) => {
        const error = Math.abs(rounded[i]! - x);
        if (error > Math.abs(x) * relativeError + 2 ** -25) expect(rounded[i], name).toBe(x);
      });
    }
  });

  test('config.json says what the config says', () => {
    const ropeScaling = {
      type: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalContextLength: 64,
    } as const;
    const llama = write({ ropeScaling, eosTokenIds: [1, 2], headDim: 32, mlpBias: true });
    expect(configOf(llama.directory)).toMatchObject({
      model_type: 'llama',
      head_dim: 32,
      num_key_value_heads: 2,
      mlp_bias: true,
      attention_bias: false,
      eos_token_id: [1, 2],
      rope_scaling: {
        rope_type: 'llama3',
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 64,
      },
    });
    expect(readWeights(llama.directory)('model.layers.0.self_attn.q_proj.weight')).toHaveLength(
      4 * 32 * 64,
    );
    const mistral = write({ slidingWindow: 8, eosTokenIds: [2], tied: true });
    expect(mistral.config.modelType).toBe('mistral');
    expect(configOf(mistral.directory)).toMatchObject({
      model_type: 'mistral',
      sliding_window: 8,
      eos_token_id: 2,
      tie_word_embeddings: true,
    });
  });
});

describe('behaviour', () => {
  test.each<[string, MiniatureOptions]>([
    ['defaults', {}],
    ['tied', { tied: true, seed: 1 }],
    ['biased', { attentionBias: true, mlpBias: true, seed: 2 }],
    ['windowed', { slidingWindow: 8, seed: 3 }],
  ])('%s: greedy text wanders and probabilities spread', (_, options) => {
    const { directory, config } = write(options);
    const weights = readWeights(directory);
    const tokens = referenceGreedy(config, weights, [1], 100);
    expect(new Set(tokens).size).toBeGreaterThan(40);
    const reference = createReference(config, weights);
    const top = tokens.map((token) => {
      const logits = reference.step(token);
      const largest = logits[argmax(logits)]!;
      return 1 / logits.reduce((sum, x) => sum + Math.exp(x - largest), 0);
    });
    top.sort((a, b) => a - b);
    expect(top[5]).toBeGreaterThan(0.05);
    expect(top[5]).toBeLessThan(0.25);
    expect(top[94]).toBeGreaterThan(0.6);
    expect(top[94]).toBeLessThan(0.97);
  });

  test.each([
    [0, 1],
    [0.02, 0.75],
    [1, 0],
  ])('innerScale %d: skipping the inner layers agrees with the target', (innerScale, least) => {
    const { directory, config } = write({ layers: 6, innerScale });
    const weights = readWeights(directory);
    const inner = Array.from({ length: 6 }, (_, layer) => layer > 0 && layer < 5);
    const target = createReference(config, weights);
    const draft = createReference(config, weights);
    let token = 1;
    let agreed = 0;
    for (let i = 0; i < 60; i++) {
      const proposed = argmax(draft.step(token, { attention: inner, mlp: inner }));
      token = argmax(target.step(token));
      if (proposed === token) agreed++;
    }
    expect(agreed / 60).toBeGreaterThanOrEqual(least);
    if (innerScale === 1) expect(agreed / 60).toBeLessThan(0.5);
  });
});
