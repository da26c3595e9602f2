import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** The weights of a checkpoint by Hugging Face tensor name, row-major ([out, in] for matrices). */
export type Weights = (name: string) => Float64Array | Float32Array;

interface StoredTensor {
  readonly file: string;
  readonly dtype: string;
  readonly start: number;
  readonly end: number;
}

/** The value of 16 bits read as an IEEE half. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const halves = Float32Array.from({ length: 65536 }, (_, bits) => fromFloat16(bits));

/**
 * Opens the safetensors of a checkpoint folder (one file or shards with an index) for the tests' oracles:
 * independent of src/checkpoint, and trusting. Tensors are read when asked for; F32, F16 and BF16 are exact in float32.
 * Embedding and head stand in for each other where only one is stored.
 */
export function readWeights(directory: string): (name: string) => Float32Array {
  const tensors = new Map<string, StoredTensor>();
  for (const file of filesOf(directory)) readHeader(join(directory, file), tensors);
  const otherName: Record<string, string> = {
    'lm_head.weight': 'model.embed_tokens.weight',
    'model.embed_tokens.weight': 'lm_head.weight',
  };
  return (name) => {
    const tensor = tensors.get(name) ?? tensors.get(otherName[name] ?? '');
    if (tensor === undefined) throw new Error(`${directory} has no tensor ${name}`);
    return decode(readRange(tensor.file, tensor.start, tensor.end), tensor.dtype);
  };
}

function filesOf(directory: string): Iterable<string> {
  const index = join(directory, 'model.safetensors.index.json');
  if (!existsSync(index)) return ['model.safetensors'];
  const { weight_map }: { weight_map: Record<string, string> } = JSON.parse(
    readFileSync(index, 'utf8'),
  );
  return new Set(Object.values(weight_map));
}

function readHeader(file: string, tensors: Map<string, StoredTensor>): void {
  const size = Number(Buffer.from(readRange(file, 0, 8)).readBigUInt64LE());
  const header: Record<string, { dtype: string; data_offsets: [number, number] }> = JSON.parse(
    new TextDecoder().decode(readRange(file, 8, 8 + size)),
  );
  for (const [name, { dtype, data_offsets: [start, end] = [0, 0] }] of Object.entries(header)) {
    if (name !== '__metadata__')
      tensors.set(name, { file, dtype, start: 8 + size + start, end: 8 + size + end });
  }
}

/** Bytes [start, end) of a file, in a buffer of their own (aligned for any element type). */
function readRange(file: string, start: number, end: number): ArrayBuffer {
  const buffer = new ArrayBuffer(end - start);
  const bytes = new Uint8Array(buffer);
  const fd = openSync(file, 'r');
  try {
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(fd, bytes, at, bytes.length - at, start + at);
      if (count === 0) throw new Error(`${file} ends early`);
      at += count;
    }
  } finally {
    closeSync(fd);
  }
  return buffer;
}

function decode(data: ArrayBuffer, dtype: string): Float32Array {
  if (dtype === 'F32') return new Float32Array(data);
  const bits = new Uint16Array(data);
  if (dtype === 'F16') return Float32Array.from(bits, (b) => halves[b]!);
  if (dtype === 'BF16') return new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer);
  throw new Error(`Cannot read safetensors of type ${dtype}`);
}
