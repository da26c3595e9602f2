import { InputError } from '../../errors.js';
import type { Checkpoint } from '../checkpoint.js';
import { parseModelConfig } from '../config.js';
import type { ModelConfig } from '../model-config.js';
import type { TensorInfo } from '../tensor-info.js';
import type { GgufHeader, GgufValue } from './header.js';
import { openGgufHeader } from './open-header.js';

/** Architectures that are read; llama.cpp writes Mistral's as llama, too. */
const ARCHITECTURE = 'llama';

/** Hugging Face's names of the tensors outside the layers. */
const OUTER_NAMES: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};

/** Hugging Face's names of what a layer has, by the name in `blk.N.NAME.weight` or `.bias`. */
const LAYER_NAMES: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/**
 * Opens a GGUF file of a Llama or Mistral model: its metadata as a configuration, its tensors under Hugging Face's names, the rows
 * of q and k marked as interleaved, which llama.cpp's converter makes of them. Reads no weights.
 * @throws InputError when the file is damaged, of another architecture, or a field is missing or out of its limits
 */
export function openGguf(file: string): Checkpoint {
  const header = openGgufHeader(file);
  const config = ggufConfig(header);
  const tensors = new Map<string, TensorInfo>();
  for (const [stored, { type, ...place }] of header.tensors) {
    const name = huggingFaceName(stored);
    const heads = stored.includes('.attn_q.')
      ? config.heads
      : stored.includes('.attn_k.')
        ? config.kvHeads
        : undefined;
    tensors.set(name, {
      ...{ name, dtype: type, file, ...place },
      ...(heads === undefined ? {} : { interleavedHeads: heads }),
    });
  }
  return { directory: file, config, tensors, files: [file], configFiles: [] };
}

/** What has no counterpart keeps its name: nothing asks for it. */
function huggingFaceName(stored: string): string {
  const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(stored) ?? [];
  const known = part === undefined ? undefined : LAYER_NAMES[part];
  if (known !== undefined) return `model.layers.${layer}.${known}.${kind}`;
  return OUTER_NAMES[stored] ?? stored;
}

/** The metadata as fields of config.json, checked as those are. */
function ggufConfig({ file, metadata, tensors }: GgufHeader): ModelConfig {
  const fail = (what: string): never => {
    throw new InputError(`${file}: ${what}.`);
  };
  const architecture = metadata.get('general.architecture');
  if (architecture !== ARCHITECTURE)
    fail(
      `general.architecture "${architecture}" is not supported; supported is ${ARCHITECTURE} (Llama and Mistral)`,
    );
  const find = (name: string): GgufValue | undefined => metadata.get(`${ARCHITECTURE}.${name}`);
  const need = (name: string): GgufValue =>
    find(name) ?? fail(`the field ${ARCHITECTURE}.${name} is missing`);

  if (tensors.has('rope_freqs.weight'))
    fail(
      'tensor "rope_freqs.weight" scales the rotary frequencies (Llama 3.1 and later), which is not read from GGUF; give the safetensors checkpoint',
    );
  if ([...tensors.keys()].some((name) => name.includes('ffn_gate_inp')))
    fail('it is a mixture of experts, which is not supported');
  const heads = need('attention.head_count');
  const headDim = find('attention.key_length') ?? find('rope.dimension_count');
  const rotated = find('rope.dimension_count');
  if (headDim !== rotated && rotated !== undefined)
    fail(`${ARCHITECTURE}.rope.dimension_count (${rotated}) is not the head size (${headDim})`);
  const scaling = find('rope.scaling.type') ?? 'none';
  const vocabulary = tensors.get('token_embd.weight')?.shape[0];
  const hasBias = (name: string) => tensors.has(`blk.0.${name}.bias`);
  return parseModelConfig(
    {
      model_type: 'llama',
      hidden_size: need('embedding_length'),
      intermediate_size: need('feed_forward_length'),
      num_hidden_layers: need('block_count'),
      num_attention_heads: heads,
      num_key_value_heads: find('attention.head_count_kv') ?? heads,
      head_dim: headDim ?? null,
      vocab_size: vocabulary ?? need('vocab_size'),
      max_position_embeddings: need('context_length'),
      rms_norm_eps: need('attention.layer_norm_rms_epsilon'),
      rope_theta: find('rope.freq_base'),
      rope_scaling:
        scaling === 'none' ? null : { rope_type: scaling, factor: find('rope.scaling.factor') },
      attention_bias: hasBias('attn_q'),
      mlp_bias: hasBias('ffn_gate'),
      tie_word_embeddings: !tensors.has('output.weight'),
      bos_token_id: metadata.get('tokenizer.ggml.bos_token_id') ?? null,
      eos_token_id: ['eos', 'eot'].flatMap(
        (name) => metadata.get(`tokenizer.ggml.${name}_token_id`) ?? [],
      ),
    },
    file,
  );
}
