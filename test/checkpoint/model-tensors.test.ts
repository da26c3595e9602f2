import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelTensors } from '../../src/checkpoint/model-tensors.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import {
  hasShared,
  inputErrorOf,
  ramp,
  SHARED,
  type StoredTensor,
  safetensors,
  TINY_CONFIG,
  tinyTensors,
  writeFolder,
} from './fixtures.js';

function find(configChanges: object, tensors: Record<string, StoredTensor>) {
  const config = { ...TINY_CONFIG, ...configChanges };
  const files = { 'config.json': config, 'model.safetensors': safetensors(tensors) };
  return modelTensors(openCheckpoint(writeFolder(temporaryDirectory(), files)));
}
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(tinyTensors()).filter(([name]) => !names.includes(name)));

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

describe('modelTensors', () => {
  it('names every tensor of the architecture', () => {
    const { embedding, head, finalNorm, layers } = find({}, tinyTensors());
    const outer = [embedding, head, finalNorm].map(({ name }) => name);
    expect(outer).toEqual([EMBEDDING, HEAD, 'model.norm.weight']);
    expect(layers).toHaveLength(1);
    const { attentionNorm, mlpNorm, ...others } = layers[0];
    const { attentionOutNorm, mlpOutNorm, qNorm, kNorm, ...linears } = others;
    expect([attentionOutNorm, mlpOutNorm, qNorm, kNorm]).toEqual([null, null, null, null]);
    expect(linears.k.weight.name).toBe('model.layers.0.self_attn.k_proj.weight');
    expect(Object.values(linears).every(({ bias }) => bias === null)).toBe(true);
    const inner = [attentionNorm, mlpNorm, ...Object.values(linears).map((l) => l.weight)];
    expect([...outer, ...inner.map((tensor) => tensor?.name)].sort()).toEqual(
      Object.keys(tinyTensors()).sort(),
    );
  });

  it('finds tied weights under either name, and prefers the embedding', () => {
    const tied = { tie_word_embeddings: true };
    const namesOf = (tensors: Record<string, StoredTensor>) => {
      const { embedding, head } = find(tied, tensors);
      expect(head).toBe(embedding);
      return embedding.name;
    };
    expect(namesOf(without(HEAD))).toBe(EMBEDDING);
    expect(namesOf(without(EMBEDDING))).toBe(HEAD);
    expect(namesOf(tinyTensors())).toBe(EMBEDDING);
    expect(() => find(tied, without(EMBEDDING, HEAD))).toThrow(
      /"model\.embed_tokens\.weight" of shape \[5,4\] is missing/,
    );
  });

  it('wants the head of an untied model, and says how to tie it', () => {
    expect(() => find({}, without(HEAD))).toThrow(
      /"lm_head\.weight" of shape \[5,4\] is missing.*tie_word_embeddings/,
    );
  });

  it('wants biases exactly when the config says so', () => {
    expect(() => find({ attention_bias: true }, tinyTensors())).toThrow(
      /q_proj\.bias" of shape \[4\] is missing/,
    );
    const biases = { q: 4, k: 2, v: 2, o: 4 };
    const more = Object.entries(biases).map(([name, size]) => [
      `model.layers.0.self_attn.${name}_proj.bias`,
      ramp([size]),
    ]);
    const { layers } = find(
      { attention_bias: true },
      { ...tinyTensors(), ...Object.fromEntries(more) },
    );
    expect(layers[0].o.bias?.name).toBe('model.layers.0.self_attn.o_proj.bias');
    expect(layers[0].gate.bias).toBeNull();
    expect(() => find({ mlp_bias: true }, tinyTensors())).toThrow(
      /gate_proj\.bias" of shape \[6\] is missing/,
    );
  });

  it.each([
    ['model.layers.0.self_attn.k_proj.bias', [2]],
    ['model.layers.0.mlp.down_proj.bias', [4]],
    ['model.layers.0.input_layernorm.bias', [4]],
    ['lm_head.bias', [5]],
  ])('refuses %s, which would not be used', (name, shape) => {
    const message = inputErrorOf(() => find({}, { ...tinyTensors(), [name]: ramp(shape) }));
    expect(message).toContain(`model.safetensors: tensor "${name}" is a bias, which a llama model`);
  });

  it('names a tensor that is missing or has another shape or dtype', () => {
    expect(() => find({}, without('model.layers.0.mlp.up_proj.weight'))).toThrow(
      /"model\.layers\.0\.mlp\.up_proj\.weight" of shape \[6,4\] is missing/,
    );
    expect(() => find({ num_hidden_layers: 2 }, tinyTensors())).toThrow(
      /"model\.layers\.1\.input_layernorm\.weight"/,
    );
    expect(() => find({ num_key_value_heads: 2 }, tinyTensors())).toThrow(
      /k_proj\.weight" has shape \[2,4\], but the configuration asks for \[4,4\]/,
    );
    const quantised = {
      ...tinyTensors(),
      'model.norm.weight': { dtype: 'I8', shape: [4], data: new Uint8Array(4) },
    };
    expect(() => find({}, quantised)).toThrow(/"model\.norm\.weight" has dtype I8/);
  });

  it.skipIf(!hasShared('models'))('resolves real models', () => {
    const real = (name: string) => modelTensors(openCheckpoint(join(SHARED, 'models', name)));
    expect(real('starter-10m').head.name).toBe(EMBEDDING);
    expect(real('stories260k').layers).toHaveLength(5);
    expect(real('tinystories-656k').embedding.name).toBe(HEAD);
  });
});
