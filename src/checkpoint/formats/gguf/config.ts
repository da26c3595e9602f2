import { InputError } from '../../../errors.js';
import { familyConfig } from '../../config.js';
import type { Family, GgufForm, TensorNames } from '../../families/family.js';
import { familyOfArchitecture } from '../../families/index.js';
import { tensorName } from '../../families/tensor-names.js';
import type { Biases, ModelConfig, Projection } from '../../model-config.js';
import { createTensorReader } from '../../tensor-reader.js';
import type { GgufHeader, GgufTensor, GgufValue } from './header.js';

const MAX_ROPE_FACTORS = 4096;

/** Metadata keys, less the architecture before them, by the fields of config.json that they stand for. */
const KEYS = {
  hidden_size: 'embedding_length',
  intermediate_size: 'feed_forward_length',
  num_hidden_layers: 'block_count',
  num_attention_heads: 'attention.head_count',
  max_position_embeddings: 'context_length',
  rms_norm_eps: 'attention.layer_norm_rms_epsilon',
} as const;

/** The same of fields that only some families have, or some models. */
const OPTIONAL_KEYS = {
  num_key_value_heads: 'attention.head_count_kv',
  rope_theta: 'rope.freq_base',
  rope_local_base_freq: 'rope.freq_base_swa',
  original_max_position_embeddings: 'rope.scaling.original_context_length',
  attn_logit_softcapping: 'attn_logit_softcapping',
  final_logit_softcapping: 'final_logit_softcapping',
  attention_multiplier: 'attention.scale',
  embedding_multiplier: 'embedding_scale',
  residual_multiplier: 'residual_scale',
  logits_scaling: 'logit_scale',
} as const;

/** Tensors that divide the rotary frequencies: of Llama 3.1 and later, and of Phi 3's models for long contexts. */
const FREQUENCIES = 'rope_freqs.weight';
const SHORT_FACTORS = 'rope_factors_short.weight';
const LONG_FACTORS = 'rope_factors_long.weight';

/** A GGUF file's metadata as a configuration, and the family that it is of. */
export interface GgufConfig {
  readonly config: ModelConfig;
  readonly family: Family;
  readonly gguf: GgufForm;
}

/**
 * Reads the metadata as fields of config.json, checked as those are. Ties and biases are told by the tensors.
 * @throws InputError for another architecture, and for a field that is missing or out of its limits
 */
export function ggufConfig({ file, metadata, tensors }: GgufHeader): GgufConfig {
  const fail = (what: string): never => {
    throw new InputError(`${file}: ${what}.`);
  };
  const architecture = String(metadata.get('general.architecture'));
  const { family, gguf } = familyOfArchitecture(architecture, fail);
  const find = (name: string): GgufValue | undefined => metadata.get(`${architecture}.${name}`);
  const need = (name: string): GgufValue =>
    find(name) ?? fail(`the field ${architecture}.${name} is missing`);

  if ([...tensors.keys()].some((name) => name.includes('ffn_gate_inp')))
    fail('it is a mixture of experts, which is not supported');
  const required = fieldsOf(KEYS, need);
  const rotated = find('rope.dimension_count');
  const headDim =
    find('attention.key_length') ??
    (family.partialRotary ? undefined : rotated) ??
    Number(required.hidden_size) / Number(required.num_attention_heads);
  if (!family.partialRotary && rotated !== undefined && rotated !== headDim)
    fail(`${architecture}.rope.dimension_count (${rotated}) is not the head size (${headDim})`);
  const { names } = gguf;
  const vocabulary = tensors.get(`${names.embedding}.weight`)?.shape[0];
  const window = find('attention.sliding_window');
  const fields = {
    ...required,
    ...fieldsOf(OPTIONAL_KEYS, find),
    ...gguf.implied?.({
      layers: Number(required.num_hidden_layers),
      heads: Number(required.num_attention_heads),
      hiddenSize: Number(required.hidden_size),
      headDim: Number(headDim),
    }),
    num_key_value_heads: find('attention.head_count_kv') ?? null,
    head_dim: headDim,
    partial_rotary_factor: rotated === undefined ? null : Number(rotated) / Number(headDim),
    // 0 stands for none.
    sliding_window: window === 0 ? null : window,
    ...windowPattern(find('attention.sliding_window_pattern')),
    vocab_size: vocabulary ?? need('vocab_size'),
    rope_scaling: ropeScaling(file, tensors, find),
    tie_word_embeddings: !tensors.has(`${names.head}.weight`),
    bos_token_id: metadata.get('tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: ['eos', 'eot'].flatMap(
      (name) => metadata.get(`tokenizer.ggml.${name}_token_id`) ?? [],
    ),
  };
  return { config: familyConfig(family, fields, file, storedBiases(tensors, names)), family, gguf };
}

function fieldsOf<Field extends string>(
  keys: Readonly<Record<Field, string>>,
  get: (key: string) => GgufValue | undefined,
): Partial<Record<Field, GgufValue>> {
  const fields: Partial<Record<Field, GgufValue>> = {};
  for (const field of Object.keys(keys) as Field[]) {
    const value = get(keys[field]);
    if (value !== undefined) fields[field] = value;
  }
  return fields;
}

/** Which layers have the window: of so many layers the last has none, or what each has. */
function windowPattern(pattern: GgufValue | undefined): Readonly<Record<string, unknown>> {
  if (!Array.isArray(pattern)) return { sliding_window_pattern: pattern };
  const types = pattern.map((windowed) => (windowed ? 'sliding_attention' : 'full_attention'));
  return { layer_types: types };
}

/** `rope_scaling` of config.json, made of metadata or of the tensor of factors. */
function ropeScaling(
  file: string,
  tensors: GgufHeader['tensors'],
  find: (name: string) => GgufValue | undefined,
): Readonly<Record<string, unknown>> | null {
  const factorsOf = (name: string) => {
    const tensor = tensors.get(name);
    return tensor === undefined ? undefined : readFactors(file, name, tensor);
  };
  const short = factorsOf(FREQUENCIES) ?? factorsOf(SHORT_FACTORS);
  if (short !== undefined)
    return {
      ...{ rope_type: 'longrope', short_factor: short, long_factor: factorsOf(LONG_FACTORS) },
      attention_factor: find('rope.scaling.attn_factor') ?? 1,
    };
  const type = find('rope.scaling.type') ?? 'none';
  if (type === 'none') return null;
  return {
    rope_type: type,
    factor: find('rope.scaling.factor'),
    beta_fast: find('rope.scaling.yarn_beta_fast'),
    beta_slow: find('rope.scaling.yarn_beta_slow'),
  };
}

function readFactors(
  file: string,
  name: string,
  { type, ...place }: GgufTensor,
): readonly number[] {
  if (place.shape.length !== 1 || place.shape[0]! > MAX_ROPE_FACTORS)
    throw new InputError(
      `${file}: tensor "${name}" has shape [${place.shape}], and is no list of up to ${MAX_ROPE_FACTORS} factors.`,
    );
  const reader = createTensorReader();
  try {
    return [...reader.readRows({ name, dtype: type, file, ...place }, 0, place.shape[0]!)];
  } finally {
    reader.close();
  }
}

/** Projections of the first layer that are stored with a bias. */
function storedBiases(tensors: GgufHeader['tensors'], names: TensorNames): Biases {
  const has = (part: Projection) =>
    tensors.has(tensorName(names, { part, layer: 0, kind: 'bias' }) ?? '');
  return {
    ...{ q: has('q'), k: has('k'), v: has('v'), o: has('o') },
    ...{ gate: has('gate'), up: has('up'), down: has('down') },
  };
}
