import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { parseFields, readJsonFile } from '../json-file.js';
import type { ModelConfig } from './model-config.js';
import { parseRope, ropeFields } from './rope.js';

const SUPPORTED_TYPES = ['llama', 'mistral'] as const;
const MAX_CONFIG_BYTES = 1 << 20;
const MAX_LAYERS = 512;
const MAX_HIDDEN = 65536;
const MAX_INTERMEDIATE = 1 << 20;
const MAX_HEADS = 4096;
const MAX_HEAD_DIM = 512;
const MAX_VOCAB = 1 << 20;
const MAX_CONTEXT = 1 << 20;

/** What LlamaConfig and MistralConfig of transformers take for fields that config.json leaves out. */
const DEFAULTS = {
  rmsNormEps: 1e-6,
  bosTokenId: 1,
  eosTokenId: 2,
  mistralKvHeads: 8,
  mistralSlidingWindow: 4096,
} as const;

const size = (max: number) => z.int().min(1).max(max);
const tokenIds = z
  .union([z.int().nonnegative(), z.array(z.int().nonnegative()).max(1024)])
  .nullable();

const configSchema = z.object({
  hidden_act: z.string().default('silu'),
  hidden_size: size(MAX_HIDDEN),
  intermediate_size: size(MAX_INTERMEDIATE),
  num_hidden_layers: size(MAX_LAYERS),
  num_attention_heads: size(MAX_HEADS),
  num_key_value_heads: size(MAX_HEADS).nullish(),
  head_dim: size(MAX_HEAD_DIM).nullish(),
  vocab_size: size(MAX_VOCAB),
  max_position_embeddings: size(MAX_CONTEXT),
  rms_norm_eps: z.number().positive().max(1).default(DEFAULTS.rmsNormEps),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
  sliding_window: z.int().positive().nullish(),
  bos_token_id: z.int().nonnegative().nullable().default(DEFAULTS.bosTokenId),
  eos_token_id: tokenIds.default(DEFAULTS.eosTokenId),
  ...ropeFields,
});

/**
 * Checks the content of a config.json.
 * @param json parsed content
 * @param file path for error messages
 * @throws InputError when the architecture is not one that the graph builder knows, the weights are already
 *   quantised, or a field is missing, out of its limits or at odds with another
 */
export function parseModelConfig(json: unknown, file: string): ModelConfig {
  const modelType = parseModelType(json, file);
  const fields = parseFields(configSchema, json, file);
  const fail = (what: string): never => {
    throw new InputError(`${file}: ${what}.`);
  };
  if (fields.hidden_act !== 'silu')
    fail(`hidden_act "${fields.hidden_act}" is not supported, only "silu" is`);

  const isMistral = modelType === 'mistral';
  const {
    hidden_size: hiddenSize,
    num_attention_heads: heads,
    max_position_embeddings: contextLength,
  } = fields;
  const absentKvHeads = isMistral ? DEFAULTS.mistralKvHeads : heads;
  const kvHeads =
    fields.num_key_value_heads === undefined
      ? absentKvHeads
      : (fields.num_key_value_heads ?? heads);
  if (heads % kvHeads !== 0)
    fail(`num_attention_heads (${heads}) is not a multiple of num_key_value_heads (${kvHeads})`);
  if (fields.head_dim == null && hiddenSize % heads !== 0)
    fail(
      `hidden_size (${hiddenSize}) is not a multiple of num_attention_heads (${heads}) and head_dim is not given`,
    );
  const headDim = fields.head_dim ?? hiddenSize / heads;
  if (headDim % 2 !== 0 || headDim > MAX_HEAD_DIM)
    fail(`head_dim must be even and at most ${MAX_HEAD_DIM}, found ${headDim}`);

  const vocabSize = fields.vocab_size;
  const eosTokenIds = [fields.eos_token_id ?? []].flat();
  const outside = [fields.bos_token_id ?? 0, ...eosTokenIds].find((id) => id >= vocabSize);
  if (outside !== undefined)
    fail(`bos or eos token id ${outside} is outside the vocabulary of ${vocabSize}`);
  // transformers' Llama ignores sliding_window, its Mistral ignores the bias flags.
  const absentWindow = isMistral ? DEFAULTS.mistralSlidingWindow : null;
  const window =
    isMistral && fields.sliding_window !== undefined ? fields.sliding_window : absentWindow;
  return {
    modelType,
    hiddenSize,
    intermediateSize: fields.intermediate_size,
    layers: fields.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    vocabSize,
    contextLength,
    rmsNormEps: fields.rms_norm_eps,
    ...parseRope(fields, file),
    attentionBias: fields.attention_bias && !isMistral,
    mlpBias: fields.mlp_bias && !isMistral,
    tiedEmbeddings: fields.tie_word_embeddings,
    slidingWindow: window !== null && window < contextLength ? window : null,
    bosTokenId: fields.bos_token_id,
    eosTokenIds: [...new Set(eosTokenIds)],
  };
}

/**
 * Reads config.json of a checkpoint folder; the eos ids of generation_config.json, where that file exists, are added.
 * @throws InputError as `parseModelConfig`, and when the folder has no config.json
 */
export function readModelConfig(directory: string): ModelConfig {
  const file = join(directory, 'config.json');
  const json = readJsonFile(file, MAX_CONFIG_BYTES);
  if (json === undefined)
    throw new InputError(
      `${directory} has no config.json; give a folder in the Hugging Face layout.`,
    );
  const config = parseModelConfig(json, file);

  const generationFile = join(directory, 'generation_config.json');
  const generationJson = readJsonFile(generationFile, MAX_CONFIG_BYTES);
  if (generationJson === undefined) return config;
  const schema = z.object({ eos_token_id: tokenIds.default(null) });
  const more = [parseFields(schema, generationJson, generationFile).eos_token_id ?? []].flat();
  const outside = more.find((id) => id >= config.vocabSize);
  if (outside !== undefined)
    throw new InputError(
      `${generationFile}: eos_token_id ${outside} is outside the vocabulary of ${config.vocabSize}.`,
    );
  return { ...config, eosTokenIds: [...new Set([...config.eosTokenIds, ...more])] };
}

/** Architecture first: a model of another family should hear that, and not which of its fields looks odd. */
function parseModelType(json: unknown, file: string): ModelConfig['modelType'] {
  const schema = z.object({ model_type: z.string(), quantization_config: z.unknown().optional() });
  const { model_type: found, quantization_config: quantization } = parseFields(schema, json, file);
  const modelType = SUPPORTED_TYPES.find((type) => type === found);
  if (modelType === undefined)
    throw new InputError(
      `${file}: model_type "${found}" is not supported; supported are ${SUPPORTED_TYPES.join(' and ')}.`,
    );
  if (quantization != null)
    throw new InputError(
      `${file}: quantization_config says that the weights are already quantised; give the original F32, F16 or BF16 checkpoint.`,
    );
  return modelType;
}
