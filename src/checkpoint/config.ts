import { z } from 'zod';
import { InputError } from '../errors.js';
import { parseFields } from '../json-file.js';
import type { Family } from './families/family.js';
import { familyOfType } from './families/index.js';
import { type Biases, type LayerOptions, llamaLayers, type ModelConfig } from './model-config.js';
import { parseRope, ropeFields } from './rope.js';

const MAX_LAYERS = 512;
const MAX_HIDDEN = 65536;
const MAX_INTERMEDIATE = 1 << 20;
const MAX_HEADS = 4096;
const MAX_HEAD_DIM = 512;
const MAX_VOCAB = 1 << 20;
const MAX_CONTEXT = 1 << 20;

/** What most families' classes in transformers take where config.json says nothing. */
const ABSENT_RMS_NORM_EPS = 1e-6;
const ABSENT_THETA = 10000;

/** Names of the activations that are one of ours, the family's own where config.json says nothing. */
const ACTIVATIONS: Readonly<Record<LayerOptions['activation'], readonly string[]>> = {
  silu: ['silu', 'swish'],
  // Gemma's first files say "gelu", and mean the approximation.
  gelu: ['gelu_pytorch_tanh', 'gelu', 'gelu_new', 'gelu_fast'],
};

const size = (max: number) => z.int().min(1).max(max);
/** One id of a token, several, or none. */
export const tokenIds = z
  .union([z.int().nonnegative(), z.array(z.int().nonnegative()).max(1024)])
  .nullable();

const configSchema = z.object({
  hidden_act: z.string().nullish(),
  /** What Gemma calls it. */
  hidden_activation: z.string().nullish(),
  hidden_size: size(MAX_HIDDEN),
  intermediate_size: size(MAX_INTERMEDIATE),
  num_hidden_layers: size(MAX_LAYERS),
  num_attention_heads: size(MAX_HEADS),
  num_key_value_heads: size(MAX_HEADS).nullish(),
  head_dim: size(MAX_HEAD_DIM).nullish(),
  vocab_size: size(MAX_VOCAB),
  max_position_embeddings: size(MAX_CONTEXT),
  rms_norm_eps: z.number().positive().max(1).optional(),
  tie_word_embeddings: z.boolean().optional(),
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
  const family = parseFamily(json, file);
  return familyConfig(family, textFields(family, json, file), file);
}

/** The fields of the model for text: all, or those that stand inside, with the eos ids of the whole. */
function textFields({ textConfig }: Family, json: unknown, file: string): unknown {
  if (textConfig === undefined) return json;
  const { field, absent } = textConfig;
  const text = parseFields(z.object({ [field]: z.record(z.string(), z.unknown()) }), json, file);
  const ends = parseFields(z.object({ eos_token_id: tokenIds.optional() }), json, file);
  return { ...absent, ...text[field], ...ends };
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
  const { absent } = family;
  const activation = family.layers.activation ?? llamaLayers.activation;
  const named = fields.hidden_activation ?? fields.hidden_act ?? activation;
  if (!ACTIVATIONS[activation].includes(named))
    fail(
      `hidden_act "${named}" is not supported in a ${family.modelType} model, only "${ACTIVATIONS[activation][0]}" is`,
    );

  const {
    hidden_size: hiddenSize,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    max_position_embeddings: longest,
  } = fields;
  const absentKvHeads = absent.kvHeads === 'heads' ? heads : absent.kvHeads;
  const kvHeads =
    fields.num_key_value_heads === undefined
      ? absentKvHeads
      : (fields.num_key_value_heads ?? heads);
  if (heads % kvHeads !== 0)
    fail(`num_attention_heads (${heads}) is not a multiple of num_key_value_heads (${kvHeads})`);
  const givenHeadDim = fields.head_dim ?? absent.headDim;
  if (givenHeadDim === undefined && hiddenSize % heads !== 0)
    fail(
      `hidden_size (${hiddenSize}) is not a multiple of num_attention_heads (${heads}) and head_dim is not given`,
    );
  const headDim = givenHeadDim ?? hiddenSize / heads;
  if (headDim % 2 !== 0 || headDim > MAX_HEAD_DIM)
    fail(`head_dim must be even and at most ${MAX_HEAD_DIM}, found ${headDim}`);
  const { rope, windowedRope, partial, contextLength } = parseRope(
    fields,
    {
      ...{ headDim, contextLength: longest, absentTheta: absent.ropeTheta ?? ABSENT_THETA },
      absentWindowedTheta: absent.windowedRopeTheta,
    },
    file,
  );
  const rotaryDim = Math.floor(headDim * partial);
  if (rotaryDim !== headDim && !family.partialRotary)
    fail(
      `partial_rotary_factor is not supported in a ${family.modelType} model; whole heads must be rotated`,
    );
  if (rotaryDim % 2 !== 0 || rotaryDim === 0)
    fail(`partial_rotary_factor must leave an even number of dimensions, found ${rotaryDim}`);

  const vocabSize = fields.vocab_size;
  const { bos_token_id: bosTokenId = absent.bosTokenId } = fields;
  const { eos_token_id: eos = absent.eosTokenId } = fields;
  const eosTokenIds = [eos ?? []].flat();
  const outside = [bosTokenId ?? 0, ...eosTokenIds].find((id) => id >= vocabSize);
  if (outside !== undefined)
    fail(`bos or eos token id ${outside} is outside the vocabulary of ${vocabSize}`);
  const { slidingWindow: window, biases: told, ...traits } = family.traits(json, file);
  const options: LayerOptions = { ...llamaLayers, ...family.layers, ...traits };
  const { windowedLayers } = options;
  const isWindowed =
    window !== null && window < contextLength && (windowedLayers?.length ?? layers) > 0;
  return {
    ...options,
    modelType: family.modelType,
    hiddenSize,
    intermediateSize: fields.intermediate_size,
    layers,
    heads,
    kvHeads,
    headDim,
    vocabSize,
    contextLength,
    rmsNormEps: fields.rms_norm_eps ?? absent.rmsNormEps ?? ABSENT_RMS_NORM_EPS,
    ropeTheta: rope.theta,
    ropeScaling: rope.scaling,
    rotaryDim: rotaryDim === headDim ? null : rotaryDim,
    biases: biases ?? told,
    tiedEmbeddings: fields.tie_word_embeddings ?? absent.tiedEmbeddings ?? false,
    slidingWindow: isWindowed ? window : null,
    // Layers that are rotated otherwise are told apart even where the window is as long as the context.
    windowedLayers:
      windowedLayers?.length === layers || (!isWindowed && windowedRope === null)
        ? null
        : windowedLayers,
    windowedRope,
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
