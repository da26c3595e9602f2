import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseModelConfig } from '../../src/checkpoint/config.js';
import { llamaLayers, noBiases } from '../../src/checkpoint/model-config.js';
import { readModelConfig } from '../../src/checkpoint/open-checkpoint.js';
import { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { hasShared, inputErrorOf, SHARED, TINY_CONFIG, writeFolder } from './fixtures.js';

const parse = (changes: object) =>
  parseModelConfig({ ...TINY_CONFIG, ...changes }, 'm/config.json');

describe('parseModelConfig', () => {
  it('fills in what transformers takes for absent fields', () => {
    const {
      num_key_value_heads: _kv,
      bos_token_id: _bos,
      eos_token_id: _eos,
      ...rest
    } = TINY_CONFIG;
    expect(parseModelConfig(rest, 'config.json')).toEqual({
      ...llamaLayers,
      modelType: 'llama',
      hiddenSize: 4,
      intermediateSize: 6,
      layers: 1,
      heads: 2,
      kvHeads: 2,
      headDim: 2,
      vocabSize: 5,
      contextLength: 16,
      rmsNormEps: 1e-6,
      ropeTheta: 10000,
      ropeScaling: null,
      biases: noBiases,
      tiedEmbeddings: false,
      slidingWindow: null,
      bosTokenId: 1,
      eosTokenIds: [2],
    });
    const mistral = {
      ...rest,
      model_type: 'mistral',
      num_attention_heads: 16,
      head_dim: 2,
      max_position_embeddings: 8192,
    };
    expect(parseModelConfig(mistral, 'config.json')).toMatchObject({
      kvHeads: 8,
      slidingWindow: 4096,
    });
  });

  it('ignores what transformers ignores: the window of a llama, the biases of a mistral', () => {
    expect(parse({ sliding_window: 8, attention_bias: true, mlp_bias: true })).toMatchObject({
      slidingWindow: null,
      biases: { q: true, k: true, v: true, o: true, gate: true, up: true, down: true },
    });
    expect(parse({ attention_bias: true }).biases).toEqual({
      ...{ q: true, k: true, v: true, o: true },
      ...{ gate: false, up: false, down: false },
    });
    expect(parse({ model_type: 'mistral', sliding_window: 8, attention_bias: true })).toMatchObject(
      {
        slidingWindow: 8,
        biases: noBiases,
      },
    );
    expect(parse({ model_type: 'mistral', sliding_window: 16 }).slidingWindow).toBeNull();
  });

  it('reads every spelling of rotary scaling', () => {
    expect(parse({ rope_scaling: { type: 'linear', factor: 2 } }).ropeScaling).toEqual({
      type: 'linear',
      factor: 2,
    });
    const llama3 = {
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    const expected = {
      type: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalContextLength: 8192,
    };
    expect(parse({ rope_scaling: { rope_type: 'llama3', ...llama3 } }).ropeScaling).toEqual(
      expected,
    );
    expect(
      parse({
        rope_theta: 1,
        rope_parameters: { rope_type: 'llama3', rope_theta: 5e5, ...llama3 },
      }),
    ).toMatchObject({
      ropeTheta: 5e5,
      ropeScaling: expected,
    });
    expect(parse({ rope_parameters: { rope_type: 'default', rope_theta: 7 } })).toMatchObject({
      ropeTheta: 7,
      ropeScaling: null,
    });
  });

  it('stretches rotations as yarn, longrope and dynamic do, or leaves layers as they are', () => {
    const original = { original_max_position_embeddings: 4 };
    const yarn = { type: 'yarn', factor: 4, ...original };
    const expected = {
      ...{ type: 'yarn', factor: 4, betaFast: 32, betaSlow: 1, truncate: true },
      ...{ attentionFactor: 0.1 * Math.log(4) + 1, originalContextLength: 4 },
    };
    expect(parse({ rope_scaling: yarn }).ropeScaling).toEqual(expected);
    const scaled = { ...yarn, mscale: 1, mscale_all_dim: 1, beta_fast: 16, truncate: false };
    expect(parse({ rope_parameters: scaled }).ropeScaling).toEqual({
      ...expected,
      ...{ betaFast: 16, truncate: false, attentionFactor: 1 },
    });
    const dynamic = { rope_scaling: { type: 'dynamic', factor: 2 } };
    expect(parse(dynamic)).toEqual(parse({}));

    // The factors of short sequences, and no longer ones.
    const longRope = { type: 'su', short_factor: [1.5], long_factor: [3] };
    expect(parse({ model_type: 'phi3', rope_scaling: longRope, ...original })).toMatchObject({
      contextLength: 4,
      ropeScaling: {
        ...{ type: 'factors', factors: [1.5] },
        attentionFactor: Math.sqrt(1 + Math.log(4) / Math.log(4)),
      },
    });
    // As GGUF files of Llama 3.1 have it: one set of factors for all lengths.
    const { long_factor: _, ...frequencies } = longRope;
    const llama = parse({ rope_scaling: frequencies, ...original });
    expect(llama.contextLength).toBe(16);
  });

  it('has a rotation of their own for the layers with a window, in both spellings', () => {
    const gemma = { model_type: 'gemma3_text', num_hidden_layers: 3, sliding_window: 8 };
    const linear = { rope_type: 'linear', factor: 8 };
    const old = {
      ...{ rope_theta: 1e6, rope_local_base_freq: 1e4, rope_scaling: linear },
      sliding_window_pattern: 2,
    };
    const types = ['sliding_attention', 'full_attention', 'sliding_attention'];
    const recent = {
      layer_types: types,
      rope_parameters: {
        full_attention: { ...linear, rope_theta: 1e6 },
        sliding_attention: { rope_type: 'default', rope_theta: 1e4 },
      },
    };
    const config = parse({ ...gemma, ...old });
    expect(config).toMatchObject({
      ...{ ropeTheta: 1e6, ropeScaling: { type: 'linear', factor: 8 }, windowedLayers: [0, 2] },
      ...{ windowedRope: { theta: 1e4, scaling: null }, slidingWindow: 8, qkNorm: 'head' },
    });
    expect(parse({ ...gemma, ...recent })).toEqual(config);
    // A window as long as the context hides nothing, but the layers are still rotated apart.
    expect(parse({ ...gemma, ...old, sliding_window: 16 })).toEqual({
      ...config,
      slidingWindow: null,
    });
  });

  it('takes one eos id, several, or none', () => {
    expect(parse({ eos_token_id: [3, 2, 3] }).eosTokenIds).toEqual([3, 2]);
    expect(parse({ eos_token_id: null }).eosTokenIds).toEqual([]);
  });

  it.each([
    [
      { model_type: 'mamba' },
      /"mamba" is not supported; supported: llama, mistral, qwen2, qwen3, /,
    ],
    [{ model_type: 'constructor' }, /"constructor" is not supported; supported: /],
    [
      { model_type: 'qwen3_moe' },
      /"qwen3_moe" is not supported, as it needs a mixture of experts; supported: llama, /,
    ],
    [{ quantization_config: { bits: 4 } }, /already quantised/],
    [{ hidden_act: 'gelu' }, /hidden_act "gelu"/],
    [{ num_hidden_layers: 513 }, /num_hidden_layers/],
    [{ hidden_size: 65538 }, /hidden_size/],
    [{ hidden_size: '4' }, /hidden_size.*expected/],
    [{ vocab_size: 2 ** 20 + 1 }, /vocab_size/],
    [{ max_position_embeddings: 2 ** 20 + 1 }, /max_position_embeddings/],
    [
      { num_attention_heads: 3 },
      /hidden_size \(4\) is not a multiple of num_attention_heads \(3\)/,
    ],
    [
      { num_attention_heads: 4, num_key_value_heads: 3 },
      /num_attention_heads \(4\) is not a multiple/,
    ],
    [{ head_dim: 3 }, /head_dim must be even/],
    [{ head_dim: 514 }, /head_dim/],
    [{ eos_token_id: 5 }, /token id 5 is outside the vocabulary of 5/],
    [
      { rope_scaling: { rope_type: 'ntk', factor: 4 } },
      /rope_scaling of type "ntk" is not supported; supported are default, linear, dynamic, llama3, yarn, longrope/,
    ],
    [
      { rope_scaling: { type: 'yarn', factor: 4, beta_fast: 1 } },
      /beta_fast must be above beta_slow/,
    ],
    [{ rope_scaling: { type: 'longrope', factor: 4 } }, /rope_scaling\.short_factor is missing/],
    [
      { rope_scaling: { type: 'longrope', short_factor: [1, 2], long_factor: [1, 2] } },
      /short_factor has 2 numbers, but 1 pairs of dimensions are rotated/,
    ],
    [
      { model_type: 'phi3', head_dim: 4, partial_rotary_factor: 0.25 },
      /partial_rotary_factor must leave an even number of dimensions, found 1/,
    ],
    [
      { model_type: 'smollm3', no_rope_layers: [] },
      /no_rope_layers lists 0 layers, and there are 1/,
    ],
    [
      { model_type: 'gemma2', layer_types: ['full_attention', 'full_attention'] },
      /layer_types lists 2 layers, and there are 1/,
    ],
    [{ model_type: 'gemma2', layer_types: ['conv'] }, /"layer_types\.0"/],
    [
      { model_type: 'gemma3_text', use_bidirectional_attention: true },
      /"use_bidirectional_attention" cannot be used: attention to both sides makes embeddings/,
    ],
    [{ model_type: 'gemma3' }, /"text_config"/],
    [{ model_type: 'granite', logits_scaling: 0 }, /"logits_scaling"/],
    [{ rope_parameters: { rope_type: 'linear' } }, /rope_parameters\.factor is missing/],
    [{ rope_parameters: { partial_rotary_factor: 0.5 } }, /partial_rotary_factor/],
  ])('refuses %j in one sentence that names file and field', (changes, message) => {
    const sentence = inputErrorOf(() => parse(changes));
    expect(sentence).toMatch(message);
    expect(sentence).toMatch(/^m\/config\.json: .*\.$/);
  });

  it.each([[null], [[]], ['llama'], [{}]])('refuses %j, which is no config', (json) => {
    expect(() => parseModelConfig(json, 'm/config.json')).toThrow(InputError);
  });
});

describe('readModelConfig', () => {
  it('adds the eos ids of generation_config.json', () => {
    const folder = temporaryDirectory();
    writeFolder(folder, {
      'config.json': TINY_CONFIG,
      'generation_config.json': { eos_token_id: [4, 2] },
    });
    expect(readModelConfig(folder).eosTokenIds).toEqual([2, 4]);
    writeFolder(folder, { 'generation_config.json': { eos_token_id: 9 } });
    expect(() => readModelConfig(folder)).toThrow(/generation_config\.json: eos_token_id 9/);
  });

  it('says what is wrong with a folder without config.json, or with a broken one', () => {
    const folder = temporaryDirectory();
    expect(() => readModelConfig(folder)).toThrow(/has no config\.json/);
    writeFolder(folder, { 'config.json': '{"model_type": ' });
    expect(() => readModelConfig(folder)).toThrow(/config\.json is not valid JSON/);
  });
});

describe.skipIf(!hasShared('configs'))('configs of real models', () => {
  const folder = join(SHARED, 'configs');
  const models = hasShared('configs')
    ? readdirSync(folder).filter((name) => name !== 'provenance.json')
    : [];

  it.each(models)('%s', (name) => {
    const file = join(folder, name);
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const unsupported = /bnb/.test(name) ? /already quantised/ : null;
    if (unsupported !== null) expect(() => parseModelConfig(json, file)).toThrow(unsupported);
    else {
      const config = parseModelConfig(json, file);
      expect(config.headDim * config.heads === config.hiddenSize).toBe(!/Qwen3-Emb/.test(name));
      expect(config.ropeScaling?.type).toBe(/Llama-3/.test(name) ? 'llama3' : undefined);
      expect(config.tiedEmbeddings).toBe(/Llama-3\.2|SmolLM|gemma|Embedding/.test(name));
      expect(config.eosTokenIds).toHaveLength(/Llama-3/.test(name) ? 3 : 1);
      expect(config.slidingWindow).toBeNull();
      expect(config.qkNorm).toBe(/Qwen3/.test(name) ? 'head' : 'none');
      expect(config.activation).toBe(/gemma/.test(name) ? 'gelu' : 'silu');
      const { q, o } = config.biases;
      expect([q, o]).toEqual([/Qwen2/.test(name), false]);
    }
  });
});
