import { closeSync, fstatSync, openSync } from 'node:fs';
import { InputError } from '../../../errors.js';
import { errorMessage } from '../../../files.js';
import { type GgmlType, ggmlTypes } from '../../ggml/types.js';
import { alignmentOf, checkNotSplit, type GgufValue, readMetadata } from './metadata.js';
import { HeaderWindow, quoted } from './window.js';

export type { GgufValue } from './metadata.js';

const MAGIC = 0x46554747;
const VERSIONS = [2, 3];
const MAX_TENSORS = 65_536;
const MAX_METADATA = 65_536;
const MAX_RANK = 4;

const READ_TYPES = new Map(
  Object.entries(ggmlTypes).map(([name, { id }]) => [id as number, name as GgmlType]),
);

/** Types that files are found with but that are not read, so that the message can name them. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  4: 'Q4_2',
  5: 'Q4_3',
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** Where one tensor of a GGUF file lies, and how it is stored. */
export interface GgufTensor {
  readonly type: GgmlType;
  /** Row-major, the reverse of the order in the file: a matrix is [rows, columns]. */
  readonly shape: readonly number[];
  /** In bytes from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** The checked header of a GGUF file. */
export interface GgufHeader {
  readonly file: string;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Reads and checks the header of one GGUF file of version 2 or 3, little-endian; tensor data is not read.
 * @returns the metadata and the tensors, in the order of the file; every tensor lies inside the file, apart from the others
 * @throws InputError when the file is cut off or split, its header is not what the format says, a limit is passed, or a tensor's type is not read here
 */
export function readGgufHeader(file: string): GgufHeader {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    const fileBytes = fstatSync(fd).size;
    const window = new HeaderWindow(fd, file, fileBytes);
    const counts = readPreamble(window);
    const metadata = readMetadata(window, counts.metadata);
    checkNotSplit(metadata, file);
    const alignment = alignmentOf(metadata, window);
    const tensors = readTensors(window, counts.tensors, alignment);
    const dataStart = Math.ceil(window.position / alignment) * alignment;
    return { file, metadata, tensors: placeTensors(tensors, dataStart, fileBytes, file) };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read ${file}: ${errorMessage(error)}.`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readPreamble(window: HeaderWindow): { tensors: number; metadata: number } {
  if (window.u32() !== MAGIC) throw window.fault('is not "GGUF"');
  window.field = 'the version';
  const version = window.u32();
  if (!VERSIONS.includes(version)) {
    // A small number in the other byte order is a multiple of 2^16.
    if (version > 0 && version % 2 ** 16 === 0)
      throw window.fault('is big-endian', 'use a little-endian GGUF file');
    throw window.fault(
      `is ${version}, but only 2 and 3 can be read`,
      'convert the model again with a current llama.cpp',
    );
  }
  window.field = 'the tensor count';
  const tensors = readCount(window, MAX_TENSORS);
  window.field = 'the metadata count';
  const metadata = readCount(window, MAX_METADATA);
  return { tensors, metadata };
}

function readCount(window: HeaderWindow, limit: number): number {
  const count = window.u64();
  if (count > limit) throw window.fault(`is ${count}, more than the limit of ${limit}`);
  return count;
}

/** Reads the tensors' entries; the offsets are still those of the file, from the start of its data part. */
function readTensors(
  window: HeaderWindow,
  count: number,
  alignment: number,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < count; i++) {
    window.field = `the name of tensor ${i}`;
    const name = window.string();
    window.field = `tensor ${quoted(name)}`;
    if (tensors.has(name)) throw window.fault('is listed twice');
    const rank = window.u32();
    if (rank < 1 || rank > MAX_RANK)
      throw window.fault(`has ${rank} dimensions, but 1 to ${MAX_RANK} are allowed`);
    const shape = Array.from({ length: rank }, () => window.u64()).reverse();
    const type = readTensorType(window);
    const byteLength = byteLengthOf(window, type, shape);
    const offset = window.u64();
    if (offset % alignment !== 0)
      throw window.fault(
        `has the offset ${offset}, not a multiple of the alignment of ${alignment}`,
      );
    tensors.set(name, { type, shape, offset, byteLength });
  }
  return tensors;
}

function readTensorType(window: HeaderWindow): GgmlType {
  const id = window.u32();
  const type = READ_TYPES.get(id);
  if (type) return type;
  const name = OTHER_TYPES[id];
  throw window.fault(
    `has the type ${id}${name ? ` (${name})` : ''}, which cannot be read`,
    `use a file whose tensors are all ${Object.keys(ggmlTypes).join(', ')}`,
  );
}

function byteLengthOf(window: HeaderWindow, type: GgmlType, shape: readonly number[]): number {
  const { blockElements, blockBytes } = ggmlTypes[type];
  const columns = shape[shape.length - 1]!;
  if (shape.includes(0)) throw window.fault(`has the empty shape [${shape}]`);
  if (columns % blockElements !== 0)
    throw window.fault(
      `has rows of ${columns} elements, not a multiple of the ${blockElements} of a block of ${type}`,
    );
  // The elements are bounded too: a block has fewer bytes than elements in the smallest types.
  const elements = shape.reduce((product, size) => product * size, 1);
  const byteLength = (elements / blockElements) * blockBytes;
  if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(byteLength))
    throw window.fault(`has the shape [${shape}], too large for any file`);
  return byteLength;
}

/** Turns the offsets into those from the start of the file, and checks that the tensors have bytes of their own. */
function placeTensors(
  tensors: ReadonlyMap<string, GgufTensor>,
  dataStart: number,
  fileBytes: number,
  file: string,
): Map<string, GgufTensor> {
  const placed = new Map<string, GgufTensor>();
  for (const [name, tensor] of tensors) {
    const offset = dataStart + tensor.offset;
    const end = offset + tensor.byteLength;
    if (end > fileBytes)
      throw new InputError(
        `${file} is truncated: tensor ${quoted(name)} needs the bytes up to ${end} but the file has ${fileBytes}; download it again.`,
      );
    placed.set(name, { ...tensor, offset });
  }
  let taken = dataStart;
  for (const [name, { offset, byteLength }] of [...placed].sort(
    ([, a], [, b]) => a.offset - b.offset,
  )) {
    if (offset < taken)
      throw new InputError(
        `${file}: tensor ${quoted(name)} overlaps the one before it; the file is damaged.`,
      );
    taken = offset + byteLength;
  }
  return placed;
}
