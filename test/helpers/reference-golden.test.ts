import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { llamaLayers, type ModelConfig, noBiases } from '../../src/checkpoint/model-config.js';
import { readWeights } from './read-weights.js';
import { argmax, createReference, referenceGreedy } from './reference.js';

interface Golden {
  readonly prompt_ids: number[];
  /** Prompt and its greedy continuation. */
  readonly greedy_ids: number[];
  /** Logits of tokens 0 to 15 at the prompt's last position. */
  readonly last_logits_first16?: number[];
  readonly argmax?: number;
}

const models = fileURLToPath(new URL('../../../shared/models/', import.meta.url));
const present = existsSync(models);
if (!present) console.warn('skipped: golden checkpoints are not at ../shared/models');

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

function readConfig(directory: string): ModelConfig {
  const json = readJson(`${directory}/config.json`);
  return {
    ...llamaLayers,
    modelType: json.model_type,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    layers: json.num_hidden_layers,
    heads: json.num_attention_heads,
    kvHeads: json.num_key_value_heads,
    headDim: json.hidden_size / json.num_attention_heads,
    vocabSize: json.vocab_size,
    contextLength: json.max_position_embeddings,
    rmsNormEps: json.rms_norm_eps,
    ropeTheta: json.rope_theta,
    ropeScaling: null,
    biases: noBiases,
    tiedEmbeddings: json.tie_word_embeddings,
    slidingWindow: null,
    bosTokenId: json.bos_token_id,
    eosTokenIds: [json.eos_token_id],
  };
}

// Made elsewhere by other implementations: tinystories-656k stores its tied weight as lm_head, stories260k has 5 layers.
describe.skipIf(!present).each(['tinystories-656k', 'stories260k'])('%s', (name) => {
  const directory = models + name;

  test('greedy decoding gives the golden tokens', () => {
    const { prompt_ids, greedy_ids }: Golden = readJson(`${directory}/golden_greedy.json`);
    const expected = greedy_ids.slice(prompt_ids.length);
    expect(expected.length).toBeGreaterThan(100);
    const weights = readWeights(directory);
    const tokens = referenceGreedy(readConfig(directory), weights, prompt_ids, expected.length);
    expect(tokens).toEqual(expected);
  });

  test('logits after the prompt are the golden ones', ({ skip }) => {
    const golden: Golden = readJson(`${directory}/golden_greedy.json`);
    const { last_logits_first16: expected } = golden;
    if (expected === undefined) return skip('this checkpoint has no golden logits');
    const reference = createReference(readConfig(directory), readWeights(directory));
    const logits = golden.prompt_ids.map((token) => reference.step(token)).at(-1)!;
    expect(argmax(logits)).toBe(golden.argmax);
    expected.forEach((x, i) => {
      expect(logits[i]).toBeCloseTo(x, 4);
    });
  });
});
