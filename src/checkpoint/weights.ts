import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import type { Checkpoint } from './checkpoint.js';
import { dequantise } from './gguf/dequantise.js';
import { ggmlTypes } from './gguf/ggml-types.js';
import type { TensorInfo } from './tensor-info.js';
import { weightType } from './weight-type.js';

/** Elements converted at a time, whole blocks of every type, so that stored bytes need little memory beside the result. */
const CHUNK = 1 << 21;

/** Reads weights of an open checkpoint as float32, row by row. */
export interface Weights {
  /**
   * Reads consecutive rows (indices of the first dimension; for a 1-D tensor a row is one element).
   * @param into where the values go, from its start; made here when absent
   * @returns [rowCount x row size] float32, row-major: `into` or its beginning
   * @throws InputError when the tensor's dtype is not that of a weight, or the file became shorter
   * @throws RangeError when there is no such tensor, or the rows are not all inside it and `into`
   */
  readRows(name: string, firstRow: number, rowCount: number, into?: Float32Array): Float32Array;
  /** Closes the files. */
  close(): void;
}

/**
 * Opens the files of a checkpoint for reading.
 * @throws InputError when a file cannot be opened
 */
export function openWeights(checkpoint: Checkpoint): Weights {
  const descriptors = new Map<string, number>();
  const close = () => {
    for (const fd of descriptors.values()) closeSync(fd);
    descriptors.clear();
  };
  try {
    for (const file of checkpoint.files) descriptors.set(file, openSync(file, 'r'));
  } catch (error) {
    close();
    throw new InputError(`Cannot open the weights: ${errorMessage(error)}.`);
  }
  return {
    readRows(name, firstRow, rowCount, into) {
      const tensor = checkpoint.tensors.get(name);
      const fd = tensor && descriptors.get(tensor.file);
      if (tensor === undefined || fd === undefined) throw new RangeError(`No open tensor ${name}.`);
      const rows = tensor.shape[0] ?? 1;
      const rowSize = tensor.shape.slice(1).reduce((product, size) => product * size, 1);
      if (!(firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= rows))
        throw new RangeError(
          `Rows ${firstRow} to ${firstRow + rowCount} of ${name} are outside its ${rows}.`,
        );
      const count = rowCount * rowSize;
      if (into !== undefined && into.length < count)
        throw new RangeError(`${count} values of ${name} do not fit into ${into.length}.`);
      const values = into === undefined ? new Float32Array(count) : into.subarray(0, count);
      if (tensor.interleavedHeads === undefined) readValues(fd, tensor, firstRow * rowSize, values);
      else
        for (let i = 0; i < rowCount; i++) {
          const from = interleavedRow(firstRow + i, rows / tensor.interleavedHeads);
          readValues(fd, tensor, from * rowSize, values.subarray(i * rowSize, (i + 1) * rowSize));
        }
      return values;
    },
    close,
  };
}

/** Where row `row` of Hugging Face's order lies, see {@link TensorInfo.interleavedHeads}. @param headRows D */
function interleavedRow(row: number, headRows: number): number {
  const within = row % headRows;
  const half = headRows / 2;
  return row - within + 2 * (within % half) + Math.floor(within / half);
}

/** Fills `values` with the elements of the tensor from element `first` on. Both begin and end with whole blocks: rows do. */
function readValues(fd: number, tensor: TensorInfo, first: number, values: Float32Array): void {
  const { file, offset } = tensor;
  const type = weightType(tensor);
  if (type === 'F32') {
    readExactly(fd, values, offset + 4 * first, file);
    return;
  }
  const { blockElements, blockBytes } = ggmlTypes[type];
  const chunk = new Uint8Array((Math.min(CHUNK, values.length) / blockElements) * blockBytes);
  for (let at = 0; at < values.length; at += CHUNK) {
    const part = values.subarray(at, at + CHUNK);
    const bytes = chunk.subarray(0, (part.length / blockElements) * blockBytes);
    readExactly(fd, bytes, offset + ((first + at) / blockElements) * blockBytes, file);
    dequantise(type, bytes, part);
  }
}

/** Values are little-endian, as is every platform onnxruntime-node runs on: float32 is read in place. */
function readExactly(
  fd: number,
  into: Float32Array | Uint8Array,
  position: number,
  file: string,
): void {
  const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, Math.min(bytes.length - at, 1 << 30), position + at);
    if (count === 0)
      throw new InputError(`${file} became shorter while it was read; download it again.`);
    at += count;
  }
}
