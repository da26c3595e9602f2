/**
 * What a plan has beside its mask, in a safetensors file: `words` I32 [n], ids, ascending; `bridge.FROM-TO.weight` F16
 * [hidden, hidden], rows by input, `bridge.FROM-TO.memory` of the same form where it has one, and `bridge.FROM-TO.bias` F16 [hidden].
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSafetensorsHeader } from '../checkpoint/formats/safetensors/header.js';
import type { TensorInfo } from '../checkpoint/tensor-info.js';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { floatToHalf, halfToFloat } from '../half.js';
import type { Bridge, BridgeOutline, DraftPlan, SkippedRun } from '../profile/draft-plan.js';
import type { Profile } from '../profile/schema.js';

/** What a file of draft weights must hold. */
export interface DraftWeightsShape {
  readonly bridges: readonly BridgeOutline[];
  /** Words of the head; null for all. */
  readonly words: number | null;
  readonly hiddenSize: number;
  readonly vocabSize: number;
}

/** More than the header of any such file takes. */
const mostHeaderBytes = 1 << 20;

/** The bytes of the file of a plan; null where it has nothing beside its mask. */
export function encodeDraftWeights({ bridges, words }: DraftPlan): Uint8Array | null {
  const tensors: { name: string; dtype: 'F16' | 'I32'; shape: number[]; data: ArrayBufferView }[] =
    [];
  if (words) tensors.push({ name: 'words', dtype: 'I32', shape: [words.length], data: words });
  for (const bridge of bridges) {
    const { weight, memory, bias } = bridge;
    const size = bias.length;
    const add = (part: string, shape: number[], values: Float32Array) =>
      tensors.push({
        name: `${bridgeName(bridge)}.${part}`,
        ...{ dtype: 'F16', shape, data: halves(values) },
      });
    add('weight', [size, size], weight);
    if (memory) add('memory', [size, size], memory);
    add('bias', [size], bias);
  }
  if (tensors.length === 0) return null;
  let at = 0;
  const entries = tensors.map(({ name, dtype, shape, data }) => {
    const begin = at;
    at += data.byteLength;
    return [name, { dtype, shape, data_offsets: [begin, at] }] as const;
  });
  // Padded, so that the data is aligned.
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const padded = Buffer.concat([header, Buffer.alloc((8 - (header.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([
    length,
    padded,
    ...tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

/** SHA-256 of the file's bytes, in hexadecimal digits. */
export function draftWeightsHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Where the file of draft weights of a profile lies: beside it, and where the profile is a link either beside that or beside the
 * file that it leads to.
 */
export function draftWeightsPath(profile: string, name: string): string {
  const beside = join(dirname(profile), name);
  if (existsSync(beside) || !existsSync(profile)) return beside;
  return join(dirname(realpathSync(profile)), name);
}

/**
 * Reads a file of draft weights.
 * @param sha256 that its bytes must have.
 * @throws InputError when it cannot be read, is another file, or does not hold what it should.
 */
export function readDraftWeights(
  file: string,
  sha256: string,
  shape: DraftWeightsShape,
): Pick<DraftPlan, 'bridges' | 'words'> {
  const bytes = readBytes(file, shape);
  if (draftWeightsHash(bytes) !== sha256)
    throw new InputError(
      `${file} is not the file of draft weights that the profile was written with: its SHA-256 is another; put that file there, or search again.`,
    );
  const tensors = new Map(
    parseSafetensorsHeader(bytes, file).map((tensor) => [tensor.name, tensor]),
  );
  const data = (name: string, dtype: 'F16' | 'I32', dims: readonly number[]): Uint8Array => {
    const tensor = tensors.get(name);
    if (!tensor) throw new InputError(`${file}: it has no tensor "${name}".`);
    if (tensor.dtype !== dtype || !isShape(tensor, dims))
      throw new InputError(
        `${file}: tensor "${name}" is ${tensor.dtype} [${tensor.shape}], not ${dtype} [${dims}].`,
      );
    return bytes.subarray(tensor.offset, tensor.offset + tensor.byteLength);
  };
  const { hiddenSize } = shape;
  const bridges = shape.bridges.map(({ from, to, memory }): Bridge => {
    const name = bridgeName({ from, to });
    const floats = (part: string, dims: readonly number[]) =>
      finiteFloats(data(`${name}.${part}`, 'F16', dims), `${file}: tensor "${name}.${part}"`);
    const map = (part: string) => floats(part, [hiddenSize, hiddenSize]);
    return {
      ...{ from, to, weight: map('weight') },
      ...(memory && { memory: map('memory') }),
      bias: floats('bias', [hiddenSize]),
    };
  });
  const words = shape.words === null ? null : readWords(data('words', 'I32', [shape.words]));
  const last = words?.at(-1) ?? 0;
  if (
    words?.some((word, i) => word < 0 || (i > 0 && word <= words[i - 1]!)) ||
    last >= shape.vocabSize
  )
    throw new InputError(
      `${file}: tensor "words" must hold token ids below ${shape.vocabSize}, ascending.`,
    );
  return { bridges, words };
}

/**
 * Checks the draft weights that a profile names, if it does.
 * @param file the profile's.
 * @throws InputError as {@link readDraftWeights} does.
 */
export function checkDraftWeights(profile: Profile, file: string): void {
  const { draft_weights: weights, bridges = [], head_words: words = null, model } = profile;
  if (!weights) return;
  readDraftWeights(draftWeightsPath(file, weights.file), weights.sha256, {
    ...{ bridges, words, hiddenSize: model.hidden_size, vocabSize: model.vocab_size },
  });
}

/** The largest float16. */
const largestHalf = 65_504;

/** A map as its file will have it; what is too large for that is the largest number. */
export function roundedToHalf(values: Float32Array): Float32Array {
  const fitting = values.map((value) => Math.max(-largestHalf, Math.min(largestHalf, value)));
  return fromHalves(new Uint8Array(halves(fitting).buffer));
}

function bridgeName({ from, to }: SkippedRun): string {
  return `bridge.${from}-${to}`;
}

function isShape({ shape }: TensorInfo, dims: readonly number[]): boolean {
  return shape.length === dims.length && shape.every((size, i) => size === dims[i]);
}

function readBytes(file: string, { bridges, words, hiddenSize }: DraftWeightsShape): Uint8Array {
  const maps = bridges.reduce((sum, { memory }) => sum + (memory ? 2 : 1), 0);
  const most =
    mostHeaderBytes + 2 * (maps * hiddenSize + bridges.length) * hiddenSize + 4 * (words ?? 0);
  try {
    const { size } = statSync(file);
    if (size > most)
      throw new InputError(
        `${file} has ${size} bytes, more than the draft weights of the profile can have.`,
      );
    return readFileSync(file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `Cannot read the draft weights that belong to the profile, ${file}: ${errorMessage(error)}.`,
    );
  }
}

function halves(values: Float32Array): Uint16Array {
  // `from` would make a list of all values first, many times their size.
  const all = new Uint16Array(values.length);
  for (let i = 0; i < all.length; i++) all[i] = floatToHalf(values[i]!);
  return all;
}

function fromHalves(bytes: Uint8Array): Float32Array {
  const all = new Float32Array(bytes.length / 2);
  for (let i = 0; i < all.length; i++) all[i] = halfToFloat(bytes, 2 * i);
  return all;
}

function finiteFloats(bytes: Uint8Array, what: string): Float32Array {
  const values = fromHalves(bytes);
  if (!values.every(Number.isFinite))
    throw new InputError(`${what} has values that are no numbers.`);
  return values;
}

function readWords(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i, true));
}
