import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Biases,
  llamaLayers,
  type ModelConfig,
  type RopeScaling,
} from '../../src/checkpoint/model-config.js';
import { hashText, normals } from './random.js';
import {
  type StoredType,
  type TensorSource,
  writeSafetensors,
  writeShardedSafetensors,
} from './safetensors-writer.js';

/** What a miniature looks like; everything has a default (see {@link writeMiniature}). */
export interface MiniatureOptions {
  readonly seed?: number;
  readonly layers?: number;
  readonly hiddenSize?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly intermediateSize?: number;
  readonly vocabSize?: number;
  readonly contextLength?: number;
  /** The head shares the embedding's weight. */
  readonly tied?: boolean;
  /** With `tied`: store the shared weight as `lm_head.weight` and not as `model.embed_tokens.weight`. */
  readonly storeHeadOnly?: boolean;
  readonly attentionBias?: boolean;
  readonly mlpBias?: boolean;
  /** Goes before the two above; config.json cannot tell it, but a family or a GGUF file can. */
  readonly biases?: Partial<Biases>;
  readonly ropeTheta?: number;
  readonly ropeScaling?: RopeScaling | null;
  /** Makes the default `modelType` mistral. */
  readonly slidingWindow?: number | null;
  readonly eosTokenIds?: readonly number[];
  readonly modelType?: ModelConfig['modelType'];
  /** Factor on o_proj and down_proj (and their biases) of all layers but the first and the last; near 0 makes them nearly free to skip. */
  readonly innerScale?: number;
  readonly dtype?: StoredType;
  /** Number of shards; 1 writes a plain `model.safetensors`. */
  readonly shards?: number;
}

/** A written miniature. Read its weights back with `readWeights(directory)`. */
export interface Miniature {
  readonly directory: string;
  readonly config: ModelConfig;
}

/** Standard deviation of the logits: top-1 probabilities then spread over 0.05 to 0.95 at small vocabularies. */
const LOGIT_DEVIATION = 3;
/** Gain of the q and k projections: attention scores of deviation about 2, so that attention picks among positions. */
const SCORE_GAIN = 1.5;
/** Gain of o_proj and down_proj: what the sublayers add outweighs the token's own embedding, or text would repeat. */
const OUTPUT_GAIN = 2;

/**
 * Writes a complete tiny checkpoint in the Hugging Face layout: config.json and model.safetensors (or shards with an
 * index). Random weights, the same bytes for the same options; a tensor's values depend on `seed`, its name and shape
 * only, so the same model can be written sharded, tied under either name or in another type. No tokenizer: prompts
 * are token ids.
 * Defaults: seed 0, 4 layers, hidden 64, 4 heads, 2 K/V heads, head_dim hidden/heads, intermediate 2 * hidden,
 * vocabulary 256, context 512, untied, no biases, theta 10000, llama, no EOS, innerScale 1, F32, one file.
 */
export function writeMiniature(directory: string, options: MiniatureOptions = {}): Miniature {
  const config = miniatureConfig(options);
  const tensors = [...miniatureTensors(config, options)];
  mkdirSync(directory, { recursive: true });
  const { dtype = 'F32', shards = 1 } = options;
  if (shards > 1) writeShardedSafetensors(directory, tensors, dtype, shards);
  else writeSafetensors(join(directory, 'model.safetensors'), tensors, dtype);
  const json = JSON.stringify(huggingFaceConfig(config, dtype), null, 2);
  writeFileSync(join(directory, 'config.json'), json);
  return { directory, config };
}

function miniatureConfig(options: MiniatureOptions): ModelConfig {
  const { hiddenSize = 64, heads = 4, slidingWindow = null } = options;
  const { attentionBias = false, mlpBias = false } = options;
  return {
    ...llamaLayers,
    modelType: options.modelType ?? (slidingWindow === null ? 'llama' : 'mistral'),
    hiddenSize,
    intermediateSize: options.intermediateSize ?? 2 * hiddenSize,
    layers: options.layers ?? 4,
    heads,
    kvHeads: options.kvHeads ?? Math.min(2, heads),
    headDim: options.headDim ?? hiddenSize / heads,
    vocabSize: options.vocabSize ?? 256,
    contextLength: options.contextLength ?? 512,
    rmsNormEps: 1e-5,
    ropeTheta: options.ropeTheta ?? 10000,
    ropeScaling: options.ropeScaling ?? null,
    biases: {
      ...{ q: attentionBias, k: attentionBias, v: attentionBias, o: attentionBias },
      ...{ gate: mlpBias, up: mlpBias, down: mlpBias },
      ...options.biases,
    },
    tiedEmbeddings: options.tied ?? false,
    slidingWindow,
    bosTokenId: 0,
    eosTokenIds: options.eosTokenIds ?? [],
  };
}

function* miniatureTensors(
  config: ModelConfig,
  { seed = 0, innerScale = 1, storeHeadOnly = false }: MiniatureOptions,
): Generator<TensorSource> {
  const { hiddenSize, intermediateSize, vocabSize, layers } = config;
  const streamOf = (name: string) => (hashText(name) ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
  /** Weight [out, in] that gives inputs of unit variance outputs of deviation `gain`. */
  const matrix = (name: string, out: number, inputs: number, gain: number, as = name) => ({
    name: as,
    shape: [out, inputs],
    values: () => normals(out * inputs, streamOf(name), gain / Math.sqrt(inputs)),
  });
  const vector = (name: string, size: number, mean: number, deviation: number) => ({
    name,
    shape: [size],
    values: () => normals(size, streamOf(name), deviation, mean),
  });

  const embedding = 'model.embed_tokens.weight';
  const stored = config.tiedEmbeddings && storeHeadOnly ? 'lm_head.weight' : embedding;
  yield matrix(embedding, vocabSize, hiddenSize, LOGIT_DEVIATION, stored);
  for (let layer = 0; layer < layers; layer++) {
    const inner = layer > 0 && layer < layers - 1 ? innerScale : 1;
    const prefix = `model.layers.${layer}.`;
    const projection = (
      name: string,
      out: number,
      inputs: number,
      gain: number,
      bias: boolean,
      scale = 1,
    ) => {
      const weight = matrix(`${prefix}${name}.weight`, out, inputs, gain * scale);
      return bias ? [weight, vector(`${prefix}${name}.bias`, out, 0, 0.15 * scale)] : [weight];
    };
    const { biases } = config;
    const attended = config.heads * config.headDim;
    const keyed = config.kvHeads * config.headDim;
    yield vector(`${prefix}input_layernorm.weight`, hiddenSize, 1, 0.2);
    yield* projection('self_attn.q_proj', attended, hiddenSize, SCORE_GAIN, biases.q);
    yield* projection('self_attn.k_proj', keyed, hiddenSize, SCORE_GAIN, biases.k);
    yield* projection('self_attn.v_proj', keyed, hiddenSize, 1, biases.v);
    yield* projection('self_attn.o_proj', hiddenSize, attended, OUTPUT_GAIN, biases.o, inner);
    yield vector(`${prefix}post_attention_layernorm.weight`, hiddenSize, 1, 0.2);
    yield* projection('mlp.gate_proj', intermediateSize, hiddenSize, SCORE_GAIN, biases.gate);
    yield* projection('mlp.up_proj', intermediateSize, hiddenSize, SCORE_GAIN, biases.up);
    yield* projection(
      'mlp.down_proj',
      hiddenSize,
      intermediateSize,
      OUTPUT_GAIN,
      biases.down,
      inner,
    );
  }
  // Signs mixed, of magnitude near 1: with a tied head an all-positive norm would favour the token just read.
  const norm = vector('model.norm.weight', hiddenSize, 0, 1);
  yield { ...norm, values: () => norm.values().map((x) => Math.sign(x) * (0.7 + Math.abs(x) / 3)) };
  if (!config.tiedEmbeddings)
    yield matrix('lm_head.weight', vocabSize, hiddenSize, LOGIT_DEVIATION);
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
};

function huggingFaceConfig(config: ModelConfig, dtype: StoredType): Record<string, unknown> {
  const { modelType, eosTokenIds } = config;
  return {
    architectures: [ARCHITECTURES[modelType]],
    model_type: modelType,
    hidden_act: 'silu',
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    vocab_size: config.vocabSize,
    max_position_embeddings: config.contextLength,
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.ropeTheta,
    rope_scaling: huggingFaceRopeScaling(config.ropeScaling),
    attention_bias: config.biases.q,
    mlp_bias: config.biases.gate,
    tie_word_embeddings: config.tiedEmbeddings,
    ...(modelType === 'mistral' ? { sliding_window: config.slidingWindow } : {}),
    bos_token_id: config.bosTokenId,
    eos_token_id:
      eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds.length ? eosTokenIds : null,
    torch_dtype: { F32: 'float32', F16: 'float16', BF16: 'bfloat16' }[dtype],
  };
}

function huggingFaceRopeScaling(scaling: RopeScaling | null): Record<string, unknown> | null {
  if (scaling === null) return null;
  if (scaling.type === 'linear') return { rope_type: 'linear', factor: scaling.factor };
  if (scaling.type !== 'llama3') throw new RangeError(`miniatures have no ${scaling.type}`);
  return {
    rope_type: 'llama3',
    factor: scaling.factor,
    low_freq_factor: scaling.lowFreqFactor,
    high_freq_factor: scaling.highFreqFactor,
    original_max_position_embeddings: scaling.originalContextLength,
  };
}
