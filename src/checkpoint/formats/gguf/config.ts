import { InputError } from '../../../errors.js';
import { familyConfig } from '../../config.js';
import type { Family, GgufForm, TensorNames } from '../../families/family.js';
import { familyOfArchitecture } from '../../families/index.js';
import { tensorName } from '../../families/tensor-names.js';
import type { Biases, ModelConfig, Projection } from '../../model-config.js';
import type { GgufHeader, GgufValue } from './header.js';

/** Metadata keys, less the architecture before them, by the fields of config.json that they stand for. */
const KEYS = {
  hidden_size: 'embedding_length',
  intermediate_size: 'feed_forward_length',
  num_hidden_layers: 'block_count',
  num_attention_heads: 'attention.head_count',
  max_position_embeddings: 'context_length',
  rms_norm_eps: 'attention.layer_norm_rms_epsilon',
} as const;

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

  if (tensors.has('rope_freqs.weight'))
    fail(
      'tensor "rope_freqs.weight" scales the rotary frequencies (Llama 3.1 and later), which is not read from GGUF; give the safetensors checkpoint',
    );
  if ([...tensors.keys()].some((name) => name.includes('ffn_gate_inp')))
    fail('it is a mixture of experts, which is not supported');
  const headDim = find('attention.key_length') ?? find('rope.dimension_count');
  const rotated = find('rope.dimension_count');
  if (headDim !== rotated && rotated !== undefined)
    fail(`${architecture}.rope.dimension_count (${rotated}) is not the head size (${headDim})`);
  const scaling = find('rope.scaling.type') ?? 'none';
  const { names } = gguf;
  const vocabulary = tensors.get(`${names.embedding}.weight`)?.shape[0];
  const required = Object.entries(KEYS).map(([field, key]): [string, GgufValue] => [
    field,
    need(key),
  ]);
  const fields = {
    ...Object.fromEntries(required),
    num_key_value_heads: find('attention.head_count_kv') ?? null,
    head_dim: headDim ?? null,
    vocab_size: vocabulary ?? need('vocab_size'),
    rope_theta: find('rope.freq_base'),
    rope_scaling:
      scaling === 'none' ? null : { rope_type: scaling, factor: find('rope.scaling.factor') },
    tie_word_embeddings: !tensors.has(`${names.head}.weight`),
    bos_token_id: metadata.get('tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: ['eos', 'eot'].flatMap(
      (name) => metadata.get(`tokenizer.ggml.${name}_token_id`) ?? [],
    ),
  };
  return { config: familyConfig(family, fields, file, storedBiases(tensors, names)), family, gguf };
}

/** Projections of the first layer that are stored with a bias. */
function storedBiases(tensors: GgufHeader['tensors'], names: TensorNames): Biases {
  const has = (part: Projection) =>
    tensors.has(tensorName(names, { part, layer: 0, kind: 'bias' }));
  return {
    ...{ q: has('q'), k: has('k'), v: has('v'), o: has('o') },
    ...{ gate: has('gate'), up: has('up'), down: has('down') },
  };
}
