import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The element types a miniature can be stored in, by their safetensors names. */
export type StoredType = 'F32' | 'F16' | 'BF16';

/** One tensor to write. The values are made only when their turn comes, so a file is never whole in memory. */
export interface TensorSource {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major values, as many as the product of `shape`. */
  readonly values: () => Float32Array;
}

const bytesPerElement = { F32: 4, F16: 2, BF16: 2 } as const;
const elements = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

const floatView = new Float32Array(1);
const bitView = new Uint32Array(floatView.buffer);
/** 2^(10 - exponent) for exponents -14 to 15: halves of that exponent per unit. */
const unitsOf = Float64Array.from({ length: 30 }, (_, i) => 2 ** (24 - i));
const roundToEven = (x: number) => x + 0x10000000000000 - 0x10000000000000; // exact for 0 <= x < 2^51 in IEEE double

/** The 16 bits of the IEEE half nearest to a float32 (ties to even; too large becomes infinity). */
export function toFloat16(value: number): number {
  floatView[0] = value;
  const bits = bitView[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(floatView[0]!);
  if (Number.isNaN(magnitude)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(((bits >>> 23) & 0xff) - 127, -14);
  // A normal's unit count contains its implicit bit (1024), hence +14 and not +15; a carry moves up by itself.
  return sign | (((exponent + 14) << 10) + roundToEven(magnitude * unitsOf[exponent + 14]!));
}

/** The 16 bits of the bfloat16 nearest to a finite float32 (ties to even). */
export function toBFloat16(value: number): number {
  floatView[0] = value;
  const bits = bitView[0]!;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function encode(values: Float32Array, dtype: StoredType): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const convert = dtype === 'F16' ? toFloat16 : toBFloat16;
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = convert(values[i]!);
  return new Uint8Array(halves.buffer);
}

/**
 * Writes one safetensors file (little-endian hosts only): 8 bytes of header length, JSON header padded with spaces to
 * a multiple of 8, then the tensors back to back in the given order.
 */
export function writeSafetensors(
  path: string,
  tensors: readonly TensorSource[],
  dtype: StoredType,
): void {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, shape } of tensors) {
    const start = end;
    end += elements(shape) * bytesPerElement[dtype];
    header[name] = { dtype, shape, data_offsets: [start, end] };
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const fd = openSync(path, 'w');
  try {
    for (const part of [length, text]) writeWhole(fd, part);
    for (const { name, shape, values } of tensors) {
      const data = values();
      if (data.length !== elements(shape)) throw new Error(`${name}: wrong number of values`);
      writeWhole(fd, encode(data, dtype));
    }
  } finally {
    closeSync(fd);
  }
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/**
 * Writes `model-0000i-of-0000n.safetensors` and `model.safetensors.index.json`, the tensors dealt out in runs of
 * equal count, as the Hub's sharded checkpoints are laid out.
 */
export function writeShardedSafetensors(
  directory: string,
  tensors: readonly TensorSource[],
  dtype: StoredType,
  shards: number,
): void {
  const weightMap: Record<string, string> = {};
  const number = (i: number) => String(i).padStart(5, '0');
  for (let i = 0; i < shards; i++) {
    const file = `model-${number(i + 1)}-of-${number(shards)}.safetensors`;
    const from = Math.floor((i * tensors.length) / shards);
    const part = tensors.slice(from, Math.floor(((i + 1) * tensors.length) / shards));
    writeSafetensors(join(directory, file), part, dtype);
    for (const { name } of part) weightMap[name] = file;
  }
  const total = tensors.reduce((sum, t) => sum + elements(t.shape) * bytesPerElement[dtype], 0);
  writeFileSync(
    join(directory, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, null, 2),
  );
}
