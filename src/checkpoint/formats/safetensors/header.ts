import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import { InputError } from '../../../errors.js';
import { errorMessage } from '../../../files.js';
import { parseFields, parseJsonBytes } from '../../../json-file.js';
import type { TensorInfo } from '../../tensor-info.js';
import { DTYPE_BYTES, type TensorDtype } from './dtypes.js';

const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000;
const MAX_TENSORS = 100_000;
const MAX_RANK = 8;

const entrySchema = z.strictObject({
  dtype: z.string().refine(isDtype, 'it is not a dtype that can be read here'),
  shape: z.array(z.int().nonnegative()).max(MAX_RANK),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());

/**
 * Reads and checks the header of one safetensors file (8 bytes of little-endian length, JSON, tensor data).
 * @returns the tensors in the order of their data; together they cover the data part without hole or overlap
 * @throws InputError when the file is cut off, its header is not what the format says, or a limit is passed
 */
export function readSafetensorsHeader(file: string): TensorInfo[] {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    const opened = fd;
    const read = (bytes: Uint8Array, position: number) =>
      readSync(opened, bytes, 0, bytes.length, position);
    return parseHeader({ size: fstatSync(fd).size, read }, file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read ${file}: ${errorMessage(error)}.`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * The same of a file whose bytes are in memory.
 * @param file named in errors.
 * @throws InputError as {@link readSafetensorsHeader} does.
 */
export function parseSafetensorsHeader(content: Uint8Array, file: string): TensorInfo[] {
  const read = (bytes: Uint8Array, position: number) => {
    const part = content.subarray(position, position + bytes.length);
    bytes.set(part);
    return part.length;
  };
  return parseHeader({ size: content.length, read }, file);
}

/** A file of so many bytes. */
interface Source {
  readonly size: number;
  /** Fills `bytes` from a position on; returns how many there were. */
  readonly read: (bytes: Uint8Array, position: number) => number;
}

function parseHeader(source: Source, file: string): TensorInfo[] {
  const { header, dataStart } = headerBytes(source, file);
  let json: unknown;
  try {
    json = parseJsonBytes(header);
  } catch {
    throw new InputError(
      `${file}: the safetensors header is not JSON in UTF-8; download the file again.`,
    );
  }
  const entries = Object.entries(parseFields(headerSchema, json, file)).filter(
    ([name]) => name !== '__metadata__',
  );
  if (entries.length > MAX_TENSORS)
    throw new InputError(
      `${file}: the header lists ${entries.length} tensors, more than the limit of ${MAX_TENSORS}.`,
    );

  const tensors = entries.map(([name, value]) => {
    const entry = parseFields(entrySchema, value, `${file}: tensor "${name}"`);
    const [begin, end] = entry.data_offsets;
    const byteLength = entry.shape.reduce(
      (product, size) => product * size,
      DTYPE_BYTES[entry.dtype],
    );
    if (!Number.isSafeInteger(byteLength) || end - begin !== byteLength)
      throw new InputError(
        `${file}: tensor "${name}" of shape [${entry.shape}] and dtype ${entry.dtype} needs ${byteLength} bytes, but data_offsets give it ${end - begin}.`,
      );
    return {
      name,
      dtype: entry.dtype,
      shape: entry.shape,
      file,
      offset: dataStart + begin,
      byteLength,
    };
  });
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkCoverage(tensors, dataStart, source.size, file);
  return tensors;
}

function headerBytes(
  { size, read }: Source,
  file: string,
): { header: Uint8Array; dataStart: number } {
  const prefix = Buffer.alloc(LENGTH_BYTES);
  if (read(prefix, 0) < LENGTH_BYTES)
    throw new InputError(`${file} is too short for a safetensors file; download it again.`);
  const length = prefix.readBigUInt64LE();
  if (length > MAX_HEADER_BYTES)
    throw new InputError(
      `${file}: the safetensors header claims ${length} bytes, more than the limit of ${MAX_HEADER_BYTES}; the file is damaged or not a safetensors file.`,
    );
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > size)
    throw new InputError(
      `${file} is truncated: its header claims ${length} bytes but the file has ${size}; download it again.`,
    );
  const header = Buffer.alloc(Number(length));
  if (read(header, LENGTH_BYTES) < header.length)
    throw new InputError(`${file} became shorter while it was read; try again.`);
  return { header, dataStart };
}

/** The format wants every byte of the data part in exactly one tensor. */
function checkCoverage(
  tensors: readonly TensorInfo[],
  dataStart: number,
  fileBytes: number,
  file: string,
): void {
  let at = dataStart;
  for (const { name, offset, byteLength } of tensors) {
    if (offset < at)
      throw new InputError(
        `${file}: tensor "${name}" overlaps the one before it; the file is damaged.`,
      );
    if (offset > at)
      throw new InputError(
        `${file}: ${offset - at} bytes before tensor "${name}" belong to no tensor (a name listed twice, or a damaged file).`,
      );
    at = offset + byteLength;
  }
  if (at > fileBytes)
    throw new InputError(
      `${file} is truncated: its tensors need ${at} bytes but the file has ${fileBytes}; download it again.`,
    );
  if (at < fileBytes)
    throw new InputError(
      `${file}: the last ${fileBytes - at} bytes belong to no tensor; the file is damaged.`,
    );
}

function isDtype(name: string): name is TensorDtype {
  return Object.hasOwn(DTYPE_BYTES, name);
}
