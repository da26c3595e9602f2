import { z } from 'zod';
import { InputError } from '../errors.js';
import { parseFields } from '../json-file.js';
import type { Family } from './families/family.js';
import { familyOfType } from './families/index.js';
import type { Biases, ModelConfig } from './model-config.js';
import { parseRope, ropeFields } from './rope.js';

const MAX_LAYERS = 512;
const MAX_HIDDEN = 65536;
const MAX_INTERMEDIATE = 1 << 20;
const MAX_HEADS = 4096;
const MAX_HEAD_DIM = 512;
const MAX_VOCAB = 1 << 20;
const MAX_CONTEXT = 1 << 20;

/** What every family's class in transformers takes where config.json says nothing. */
const ABSENT_RMS_NORM_EPS = 1e-6;

const size = (max: number) => z.int().min(1).max(max);
/** One id of a token, several, or none. */
export const tokenIds = z
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
  rms_norm_eps: z.number().positive().max(1).default(ABSENT_RMS_NORM_EPS),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: z.int().nonnegative().nullable().optional(),
  eos_token_id: tokenIds.optional(),
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
  return familyConfig(parseFamily(json, file), json, file);
}

/**
 * Checks fields of config.json, or the same made of what another format has in their place, and reads them as the family has them.
 * @param biases which projections have a bias, where not the fields say so
 * @throws InputError as `parseModelConfig`, but not of the architecture
 */
export function familyConfig(
  family: Family,
  json: unknown,
  file: string,
  biases?: Biases,
): ModelConfig {
  const fields = parseFields(configSchema, json, file);
  const fail = (what: string): never => {
    throw new InputError(`${file}: ${what}.`);
  };
  if (fields.hidden_act !== 'silu')
    fail(`hidden_act "${fields.hidden_act}" is not supported, only "silu" is`);

  const {
    hidden_size: hiddenSize,
    num_attention_heads: heads,
    max_position_embeddings: contextLength,
  } = fields;
  const absentKvHeads = family.absent.kvHeads === 'heads' ? heads : family.absent.kvHeads;
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
  const { bos_token_id: bosTokenId = family.absent.bosTokenId } = fields;
  const { eos_token_id: eos = family.absent.eosTokenId } = fields;
  const eosTokenIds = [eos ?? []].flat();
  const outside = [bosTokenId ?? 0, ...eosTokenIds].find((id) => id >= vocabSize);
  if (outside !== undefined)
    fail(`bos or eos token id ${outside} is outside the vocabulary of ${vocabSize}`);
  const { slidingWindow: window, biases: told } = family.traits(json, file);
  return {
    modelType: family.modelType,
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
    biases: biases ?? told,
    tiedEmbeddings: fields.tie_word_embeddings,
    slidingWindow: window !== null && window < contextLength ? window : null,
    bosTokenId,
    eosTokenIds: [...new Set(eosTokenIds)],
  };
}

/** Architecture first: a model of another family should hear that, and not which of its fields looks odd. */
function parseFamily(json: unknown, file: string): Family {
  const schema = z.object({ model_type: z.string(), quantization_config: z.unknown().optional() });
  const { model_type: modelType, quantization_config: quantization } = parseFields(
    schema,
    json,
    file,
  );
  const family = familyOfType(modelType, (what) => {
    throw new InputError(`${file}: ${what}.`);
  });
  if (quantization != null)
    throw new InputError(
      `${file}: quantization_config says that the weights are already quantised; give the original F32, F16 or BF16 checkpoint.`,
    );
  return family;
}
