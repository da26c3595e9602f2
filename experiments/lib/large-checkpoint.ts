/** Checkpoints of real sizes with random weights: what time and memory depend on is their shape. */
import { closeSync, copyFileSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { floatToHalf } from '../../src/half.js';
import { packageRoot } from '../../src/package-root.js';
import { Random } from '../../src/random.js';

/** A Llama to make. */
export interface Shape {
  readonly name: string;
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly dtype: 'F16' | 'BF16';
  readonly shards: number;
}

/** The shapes of two published models. */
export const SHAPES: readonly Shape[] = [
  {
    ...{ name: 'tinyllama-1.1b', layers: 22, hidden: 2048, intermediate: 5632, heads: 32 },
    ...{ kvHeads: 4, vocabulary: 32_000, context: 2048, dtype: 'F16', shards: 1 },
  },
  {
    ...{ name: 'llama-2-7b', layers: 32, hidden: 4096, intermediate: 11_008, heads: 32 },
    ...{ kvHeads: 32, vocabulary: 32_000, context: 4096, dtype: 'BF16', shards: 3 },
  },
];

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Standard deviation of the weights; null for the ones of a norm. */
  readonly deviation: number | null;
}

/** Numbers that are used over and over: making each anew would take longer than everything else. */
const POOL = 1 << 21;
const BYTES = 2;

/**
 * Writes a checkpoint folder, with the bundled model's tokenizer, whose ids every vocabulary of the shapes has.
 * @returns its bytes.
 */
export function writeLargeCheckpoint(directory: string, shape: Shape): number {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'config.json'), JSON.stringify(configOf(shape), null, 2));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(packageRoot(), 'models', 'demo', file), join(directory, file));
  const pool = Float32Array.from({ length: POOL }, normals());
  const tensors = tensorsOf(shape);
  const count = (i: number) => Math.floor((i * tensors.length) / shape.shards);
  const number = (i: number) => String(i).padStart(5, '0');
  const weightMap: Record<string, string> = {};
  let bytes = 0;
  for (let shard = 0; shard < shape.shards; shard++) {
    const file =
      shape.shards === 1
        ? 'model.safetensors'
        : `model-${number(shard + 1)}-of-${number(shape.shards)}.safetensors`;
    const part = tensors.slice(count(shard), count(shard + 1));
    for (const { name } of part) weightMap[name] = file;
    bytes += writeShard(join(directory, file), part, shape.dtype, pool);
  }
  if (shape.shards > 1)
    writeFileSync(
      join(directory, 'model.safetensors.index.json'),
      JSON.stringify({ metadata: { total_size: bytes }, weight_map: weightMap }),
    );
  return bytes;
}

function normals(): () => number {
  const random = new Random(1);
  return () => random.normal();
}

function configOf(shape: Shape): Record<string, unknown> {
  return {
    ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', hidden_act: 'silu' },
    ...{ hidden_size: shape.hidden, intermediate_size: shape.intermediate },
    ...{ num_hidden_layers: shape.layers, num_attention_heads: shape.heads },
    ...{ num_key_value_heads: shape.kvHeads, vocab_size: shape.vocabulary },
    ...{ max_position_embeddings: shape.context, rms_norm_eps: 1e-5, rope_theta: 10_000 },
    ...{ tie_word_embeddings: false, bos_token_id: 1, eos_token_id: null },
  };
}

/** In the order of the file. Inputs of unit variance give outputs of unit variance, so that nothing overflows or dies out. */
function tensorsOf({ layers, hidden, intermediate, heads, kvHeads, vocabulary }: Shape): Tensor[] {
  const keys = (hidden / heads) * kvHeads;
  const matrix = (name: string, outputs: number, inputs: number): Tensor => ({
    ...{ name: `${name}.weight`, shape: [outputs, inputs], deviation: 1 / Math.sqrt(inputs) },
  });
  const norm = (name: string): Tensor => ({
    ...{ name: `${name}.weight`, shape: [hidden], deviation: null },
  });
  return [
    { ...matrix('model.embed_tokens', vocabulary, hidden), deviation: 1 },
    ...Array.from({ length: layers }, (_, layer) => `model.layers.${layer}`).flatMap((prefix) => [
      norm(`${prefix}.input_layernorm`),
      matrix(`${prefix}.self_attn.q_proj`, hidden, hidden),
      matrix(`${prefix}.self_attn.k_proj`, keys, hidden),
      matrix(`${prefix}.self_attn.v_proj`, keys, hidden),
      matrix(`${prefix}.self_attn.o_proj`, hidden, hidden),
      norm(`${prefix}.post_attention_layernorm`),
      matrix(`${prefix}.mlp.gate_proj`, intermediate, hidden),
      matrix(`${prefix}.mlp.up_proj`, intermediate, hidden),
      matrix(`${prefix}.mlp.down_proj`, hidden, intermediate),
    ]),
    norm('model.norm'),
    matrix('lm_head', vocabulary, hidden),
  ];
}

function writeShard(
  path: string,
  tensors: readonly Tensor[],
  dtype: Shape['dtype'],
  pool: Float32Array,
): number {
  let end = 0;
  const entries = tensors.map(({ name, shape }) => {
    const begin = end;
    end += BYTES * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const fd = openSync(path, 'w');
  try {
    writeAll(fd, length);
    writeAll(fd, header);
    for (const [i, { shape, deviation }] of tensors.entries()) {
      const size = shape.reduce((product, n) => product * n, 1);
      const halves = encode(pool.subarray(0, Math.min(size, POOL)), deviation, dtype);
      // Another beginning for every tensor; rows then differ as well, as no row is as long as the pool.
      for (let left = size, at = (i * 77_777) % halves.length; left > 0; at = 0) {
        const piece = halves.subarray(at, at + left);
        writeAll(fd, new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
        left -= piece.length;
      }
    }
  } finally {
    closeSync(fd);
  }
  return end;
}

function encode(
  values: Float32Array,
  deviation: number | null,
  dtype: Shape['dtype'],
): Uint16Array {
  const scaled = deviation === null ? values.map(() => 1) : values.map((x) => x * deviation);
  if (dtype === 'F16') return Uint16Array.from(scaled, floatToHalf);
  // The upper half of the bits, rounded down: what a random weight is does not matter.
  return Uint16Array.from(new Uint32Array(scaled.buffer), (bits) => bits >>> 16);
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
