import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '../../src/checkpoint/model-config.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { toBlocks, typeIds, type WrittenType } from './gguf-blocks.js';
import { type MiniatureOptions, writeMiniature } from './miniature.js';
import { readWeights } from './read-weights.js';
import { temporaryDirectory } from './temporary.js';

const LAYER_NAMES: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/**
 * Writes a miniature as a GGUF file, without a tokeniser.
 * @param typeOf the type to store a matrix in, by its name in the file
 * @returns path of the file
 */
export function writeGgufMiniature(
  options: MiniatureOptions,
  typeOf: (name: string) => WrittenType,
): string {
  const { directory } = writeMiniature(temporaryDirectory(), options);
  return toGguf(directory, typeOf, join(directory, 'model.gguf'));
}

/**
 * Writes a checkpoint folder as llama.cpp's converter would, without a tokeniser.
 * @param typeOf the type to store a matrix in, by its name in the file
 * @returns path of the file
 */
export function toGguf(
  directory: string,
  typeOf: (name: string) => WrittenType,
  file: string,
): string {
  const { config, tensors } = openCheckpoint(directory);
  const architecture = config.modelType === 'qwen2' ? 'qwen2' : 'llama';
  const read = readWeights(directory);
  const entries: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const { name, shape } of tensors.values()) {
    const stored = storedName(name);
    const type = shape.length === 1 ? 'F32' : typeOf(stored);
    const heads = architecture === 'llama' ? rotatedHeads(stored, config) : 0;
    const values = read(name);
    const bytes = toBlocks(type, heads === 0 ? values : interleave(values, shape[0]!, heads));
    entries.push(
      text(stored),
      u32(shape.length),
      ...shape.toReversed().map(u64),
      u32(typeIds[type]),
      u64(offset),
    );
    const padded = Buffer.alloc(Math.ceil(bytes.length / 32) * 32);
    padded.set(bytes);
    data.push(padded);
    offset += padded.length;
  }
  const metadata = [
    entry('general.architecture', 8, text(architecture)),
    ...Object.entries({
      embedding_length: config.hiddenSize,
      feed_forward_length: config.intermediateSize,
      block_count: config.layers,
      context_length: config.contextLength,
      'attention.head_count': config.heads,
      'attention.head_count_kv': config.kvHeads,
      ...(architecture === 'llama'
        ? { 'attention.key_length': config.headDim, 'rope.dimension_count': config.headDim }
        : {}),
    }).map(([key, value]) => entry(`${architecture}.${key}`, 4, u32(value))),
    entry(`${architecture}.attention.layer_norm_rms_epsilon`, 6, f32(config.rmsNormEps)),
    entry(`${architecture}.rope.freq_base`, 6, f32(config.ropeTheta)),
  ];
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(data.length),
    u64(metadata.length),
    ...metadata,
    ...entries,
  ]);
  const padding = Buffer.alloc((32 - (header.length % 32)) % 32);
  writeFileSync(file, Buffer.concat([header, padding, ...data]));
  return file;
}

function rotatedHeads(stored: string, config: ModelConfig): number {
  if (/attn_q/.test(stored)) return config.heads;
  return /attn_k/.test(stored) ? config.kvHeads : 0;
}

function storedName(name: string): string {
  const [, layer, part, kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (part !== undefined) return `blk.${layer}.${LAYER_NAMES[part]}.${kind}`;
  if (name === 'lm_head.weight') return 'output.weight';
  return name === 'model.norm.weight' ? 'output_norm.weight' : 'token_embd.weight';
}

/** llama.cpp's order of the rows of q and k: the two halves of each head alternate. */
function interleave(values: Float32Array, rows: number, heads: number): Float32Array {
  const width = values.length / rows;
  const half = rows / heads / 2;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const within = row % (2 * half);
    const to = row - within + 2 * (within % half) + Math.floor(within / half);
    out.set(values.subarray(row * width, (row + 1) * width), to * width);
  }
  return out;
}

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const f32 = (value: number) => Buffer.from(Float32Array.of(value).buffer);
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const entry = (key: string, type: number, value: Buffer) =>
  Buffer.concat([text(key), u32(type), value]);
