import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { InputError } from '../../src/errors.js';
import { errorMessage } from '../../src/files.js';

/** Third-party material outside the repository; tests that need it skip where it is absent. */
export const SHARED = resolve(dirname(fileURLToPath(import.meta.url)), '../../../shared');

/** Whether a path below ../shared is here; says so when not, as the reason of the skip. */
export function hasShared(path: string): boolean {
  const here = existsSync(join(SHARED, path));
  if (!here) console.warn(`skipped: ../shared/${path} is absent`);
  return here;
}

/** The message of the InputError that `work` throws; fails when it throws another error, or none. */
export function inputErrorOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return errorMessage(error);
  }
  return expect.fail('no error was thrown');
}

/** A tensor to be written. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Bytes of a safetensors file with the given header, which need not fit the data. */
export function rawSafetensors(header: string, data: Uint8Array = new Uint8Array()): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), data]);
}

/** Bytes of a well-formed safetensors file. */
export function safetensors(tensors: Readonly<Record<string, StoredTensor>>): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let at = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.length] };
    at += data.length;
  }
  const data = Buffer.concat(Object.values(tensors).map((tensor) => tensor.data));
  return rawSafetensors(JSON.stringify(header), data);
}

/** An F32 tensor whose elements count up from `first`. */
export function ramp(shape: readonly number[], first = 0): StoredTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, i) => first + i);
  return { dtype: 'F32', shape, data: new Uint8Array(values.buffer) };
}

/** config.json of a model of one layer: H 4, F 6, 2 heads of 2, 1 K/V head, vocabulary 5. */
export const TINY_CONFIG = {
  model_type: 'llama',
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: 5,
  max_position_embeddings: 16,
  bos_token_id: 1,
  eos_token_id: 2,
};

/** All tensors of a model with TINY_CONFIG, untied. */
export function tinyTensors(): Record<string, StoredTensor> {
  const shapes: Record<string, number[]> = {
    'model.embed_tokens.weight': [5, 4],
    'model.layers.0.input_layernorm.weight': [4],
    'model.layers.0.self_attn.q_proj.weight': [4, 4],
    'model.layers.0.self_attn.k_proj.weight': [2, 4],
    'model.layers.0.self_attn.v_proj.weight': [2, 4],
    'model.layers.0.self_attn.o_proj.weight': [4, 4],
    'model.layers.0.post_attention_layernorm.weight': [4],
    'model.layers.0.mlp.gate_proj.weight': [6, 4],
    'model.layers.0.mlp.up_proj.weight': [6, 4],
    'model.layers.0.mlp.down_proj.weight': [4, 6],
    'model.norm.weight': [4],
    'lm_head.weight': [5, 4],
  };
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, ramp(shape, 100 * i)]),
  );
}

/** Writes files into a folder (made if need be); objects become JSON. */
export function writeFolder(
  folder: string,
  files: Readonly<Record<string, object | Buffer | string>>,
): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(
      join(folder, name),
      typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
    );
  return folder;
}
