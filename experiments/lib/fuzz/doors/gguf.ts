import { join } from 'node:path';
import { type GgufValue, readGgufHeader } from '../../../../src/checkpoint/formats/gguf/header.js';
import { ggmlTypes } from '../../../../src/checkpoint/ggml/types.js';
import { loadTokenizer } from '../../../../src/checkpoint/tokenizer.js';
import { packageRoot } from '../../../../src/package-root.js';
import type { Random } from '../../../../src/random.js';
import type { Door } from '../door.js';
import { NUMBERS, pick, WORDS } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { type Json, mutateJson } from '../mutate-json.js';
import { useCheckpoint } from './checkpoint.js';
import { bytesOf, families, jsonOf } from './seeds.js';
import { useTokenizer } from './tokenizer.js';

const FILE = 'model.gguf';
const ALIGNMENT = 32;

/** A GGUF file taken apart: JSON of all that stands before its data. */
interface Parts {
  readonly bytes: Buffer;
  readonly header: { metadata: { [key: string]: Json }; tensors: { [name: string]: Json } };
  readonly data: Buffer;
}

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: unknown) => {
  const number = typeof value === 'number' && Number.isFinite(value) ? value : 0;
  return Buffer.from(BigUint64Array.of(BigInt.asUintN(64, BigInt(Math.trunc(number)))).buffer);
};
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

/** Nesting of arrays that is written; the door has its limit long before. */
const DEEPEST = 100;

/** The type that a value is written as, and its bytes. */
function written(value: unknown, depth = 0): readonly [number, Buffer] {
  if (typeof value === 'string') return [8, text(value)];
  if (typeof value === 'boolean') return [7, Buffer.of(Number(value))];
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return [4, u32(value)];
    return Number.isInteger(value) && Math.abs(value) < 2 ** 53
      ? [11, Buffer.from(BigInt64Array.of(BigInt(value)).buffer)]
      : [12, Buffer.from(Float64Array.of(value).buffer)];
  }
  const elements =
    Array.isArray(value) && depth < DEEPEST ? value.map((one) => written(one, depth + 1)) : [];
  const [type] = elements[0] ?? [4];
  const same = elements.filter(([other]) => other === type).map(([, bytes]) => bytes);
  return [9, Buffer.concat([u32(type), u64(same.length), ...same])];
}

function assemble(header: unknown, data: Buffer): Buffer {
  const { metadata, tensors } = Object(header);
  const entries = Object.entries(Object(metadata)).map(([key, value]) => {
    const [type, bytes] = written(value);
    return Buffer.concat([text(key), u32(type), bytes]);
  });
  const listed = Object.entries(Object(tensors)).map(([name, tensor]) => {
    const { shape, type, offset } = Object(tensor);
    const dims = Array.isArray(shape) ? shape.slice(0, 100).reverse() : [];
    const id = typeof type === 'number' && type >= 0 ? type : 0;
    return Buffer.concat([text(name), u32(dims.length), ...dims.map(u64), u32(id), u64(offset)]);
  });
  const head = Buffer.concat([
    ...[Buffer.from('GGUF'), u32(3), u64(listed.length), u64(entries.length)],
    ...[...entries, ...listed],
  ]);
  return Buffer.concat([
    head,
    Buffer.alloc((ALIGNMENT - (head.length % ALIGNMENT)) % ALIGNMENT),
    data,
  ]);
}

/** Metadata of a tokenizer, which the small files do not have. */
function tokenizerMetadata(kind: 'gpt2' | 'llama'): { [key: string]: Json } {
  const { vocab, merges } = Object(jsonOf('models', 'demo', 'tokenizer.json')).model;
  const tokens = Object.keys(vocab).slice(0, 400);
  const of = (name: string) => `tokenizer.ggml.${name}`;
  const common = {
    [of('model')]: kind,
    [of('tokens')]: tokens,
    [of('token_type')]: tokens.map((_, id) => (id === 0 ? 3 : 1)),
    ...{ [of('bos_token_id')]: 0, [of('eos_token_id')]: 0, [of('add_bos_token')]: true },
    'tokenizer.chat_template': '{{ bos_token }}{{ messages[0].content }}',
  };
  if (kind === 'llama') return { ...common, [of('scores')]: tokens.map((_, id) => -id / 2 - 0.25) };
  const joined = merges.slice(0, 60).map((merge: string | string[]) => [merge].flat().join(' '));
  return { ...common, [of('pre')]: 'gpt-2', [of('merges')]: joined };
}

function partsOf(folder: string): Parts {
  const path = join(packageRoot(), folder, FILE);
  const bytes = bytesOf(folder, FILE);
  const { metadata, tensors } = readGgufHeader(path);
  const start = Math.min(...[...tensors.values()].map(({ offset }) => offset));
  const listed = [...tensors].map(([name, { type, shape, offset }]): [string, Json] => {
    return [name, { type: ggmlTypes[type].id, shape: [...shape], offset: offset - start }];
  });
  const values = [...metadata].map(([key, value]): [string, Json] => [key, jsonValue(value)]);
  return {
    bytes,
    data: bytes.subarray(start),
    header: { metadata: Object.fromEntries(values), tensors: Object.fromEntries(listed) },
  };
}

function jsonValue(value: GgufValue): Json {
  return typeof value === 'object' ? value.map(jsonValue) : value;
}

function withTokenizer(random: Random, { header }: Parts): Parts['header'] {
  const kind = pick(random, ['gpt2', 'llama'] as const);
  return { ...header, metadata: { ...header.metadata, ...tokenizerMetadata(kind) } };
}

/** A part of a header as it is after mutation; nothing where it is JSON no more. */
function reread(mutated: string): unknown {
  try {
    return JSON.parse(mutated);
  } catch {
    return {};
  }
}

/** A GGUF file, its metadata, tokenizer and chat template among them. */
export function ggufDoor(): Door {
  const seeds = families.flatMap((folder) => {
    try {
      return [partsOf(folder)];
    } catch {
      // A family that has no such file.
      return [];
    }
  });
  return {
    name: 'gguf',
    make(random) {
      const seed = pick(random, seeds);
      const donor = pick(random, seeds);
      const header = random.integer(2) === 0 ? seed.header : withTokenizer(random, seed);
      const whole = assemble(header, seed.data);
      if (random.integer(3) === 0)
        return { [FILE]: mutateBytes(random, whole, donor.bytes, whole.length - seed.data.length) };
      const other = withTokenizer(random, donor);
      const part = pick(random, ['metadata', 'tensors', 'metadata'] as const);
      const changed = reread(mutateJson(random, header[part], other[part]));
      const mutated = assemble({ ...header, [part]: changed }, seed.data);
      // Counts and a first length that lie.
      if (random.integer(10) === 0)
        mutated.writeBigUInt64LE(pick(random, WORDS), pick(random, [8, 16, 24]));
      if (random.integer(30) === 0) mutated.writeUInt32LE(Number(pick(random, NUMBERS)) >>> 0, 4);
      return { [FILE]: mutated };
    },
    async enter(folder) {
      const path = join(folder, FILE);
      if (loadTokenizer(path) !== null) useTokenizer(path);
      await useCheckpoint(path);
    },
  };
}
