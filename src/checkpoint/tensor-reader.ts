import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { dequantise } from './ggml/dequantise.js';
import { type GgmlType, ggmlTypes } from './ggml/types.js';
import type { TensorInfo } from './tensor-info.js';
import { weightType } from './weight-type.js';

/** Elements converted at a time, whole blocks of every type, so that stored bytes need little memory beside the result. */
const CHUNK = 1 << 21;

/** Reads weights as float32, row by row. */
export interface TensorReader {
  /**
   * Reads consecutive rows (indices of the first dimension; for a 1-D tensor a row is one element).
   * @param into where the values go, from its start; made here when absent
   * @returns [rowCount x row size] float32, row-major: `into` or its beginning
   * @throws InputError when the tensor's dtype is not that of a weight, or the file cannot be opened or became shorter
   * @throws RangeError when the rows are not all inside the tensor and `into`
   */
  readRows(
    tensor: TensorInfo,
    firstRow: number,
    rowCount: number,
    into?: Float32Array,
  ): Float32Array;
  /**
   * Reads consecutive rows of a matrix as the file stores them: whole blocks of the tensor's type, in Hugging Face's order of rows.
   * @throws as `readRows`
   */
  readBlocks(tensor: TensorInfo, firstRow: number, rowCount: number): Uint8Array;
  /** Closes the files that reading opened; reading on opens them again. */
  close(): void;
}

/** A reader that opens each file when it first reads of it. */
export function createTensorReader(): TensorReader {
  const descriptors = new Map<string, number>();
  const descriptorOf = (file: string): number => {
    const known = descriptors.get(file);
    if (known !== undefined) return known;
    try {
      const fd = openSync(file, 'r');
      descriptors.set(file, fd);
      return fd;
    } catch (error) {
      throw new InputError(`Cannot open the weights: ${errorMessage(error)}.`);
    }
  };
  const find = (tensor: TensorInfo, firstRow: number, rowCount: number): OpenTensor => {
    const rows = tensor.shape[0] ?? 1;
    if (!(firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= rows))
      throw new RangeError(
        `Rows ${firstRow} to ${firstRow + rowCount} of ${tensor.name} are outside its ${rows}.`,
      );
    const type = weightType(tensor);
    const { blockElements, blockBytes } = ggmlTypes[type];
    const rowSize = tensor.shape.slice(1).reduce((product, size) => product * size, 1);
    const rowBytes = (rowSize / blockElements) * blockBytes;
    return { fd: descriptorOf(tensor.file), tensor, type, rowSize, rowBytes };
  };
  return {
    readRows(tensor, firstRow, rowCount, into) {
      const open = find(tensor, firstRow, rowCount);
      const { fd, type, rowSize, rowBytes } = open;
      const count = rowCount * rowSize;
      if (into !== undefined && into.length < count)
        throw new RangeError(`${count} values of ${tensor.name} do not fit into ${into.length}.`);
      const values = into === undefined ? new Float32Array(count) : into.subarray(0, count);
      if (type === 'F32' && tensor.interleavedHeads === undefined) {
        readExactly(fd, values, tensor.offset + firstRow * rowBytes, tensor.file);
        return restored(tensor, values);
      }
      const perChunk = Math.max(1, Math.floor(CHUNK / rowSize));
      const chunk = new Uint8Array(Math.min(perChunk, rowCount) * rowBytes);
      for (let at = 0; at < rowCount; at += perChunk) {
        const part = Math.min(perChunk, rowCount - at);
        const bytes = chunk.subarray(0, part * rowBytes);
        readRowBytes(open, firstRow + at, bytes);
        dequantise(type, bytes, values.subarray(at * rowSize, (at + part) * rowSize));
      }
      return restored(tensor, values);
    },
    readBlocks(tensor, firstRow, rowCount) {
      const open = find(tensor, firstRow, rowCount);
      const bytes = new Uint8Array(rowCount * open.rowBytes);
      readRowBytes(open, firstRow, bytes);
      return bytes;
    },
    close() {
      for (const fd of descriptors.values()) closeSync(fd);
      descriptors.clear();
    },
  };
}

/** Values as they are meant, in place. */
function restored({ lessOne }: TensorInfo, values: Float32Array): Float32Array {
  if (lessOne) for (let i = 0; i < values.length; i++) values[i]! += 1;
  return values;
}

/** A tensor, and what its rows are in the file. */
interface OpenTensor {
  readonly fd: number;
  readonly tensor: TensorInfo;
  readonly type: GgmlType;
  /** In elements; 1 for a vector. */
  readonly rowSize: number;
  readonly rowBytes: number;
}

/** Fills `into` with the stored bytes of whole rows from `firstRow` on, in Hugging Face's order. */
function readRowBytes(open: OpenTensor, firstRow: number, into: Uint8Array): void {
  const { fd, rowBytes } = open;
  const { shape, interleavedHeads, offset, file } = open.tensor;
  if (interleavedHeads === undefined) {
    readExactly(fd, into, offset + firstRow * rowBytes, file);
    return;
  }
  const headRows = (shape[0] ?? 1) / interleavedHeads;
  const endRow = firstRow + into.length / rowBytes;
  const stored = new Uint8Array(headRows * rowBytes);
  for (let head = Math.floor(firstRow / headRows); head * headRows < endRow; head++) {
    const begin = head * headRows;
    readExactly(fd, stored, offset + begin * rowBytes, file);
    for (let row = Math.max(begin, firstRow); row < Math.min(begin + headRows, endRow); row++) {
      const from = interleavedRow(row - begin, headRows) * rowBytes;
      into.set(stored.subarray(from, from + rowBytes), (row - firstRow) * rowBytes);
    }
  }
}

/** Where in a head of `headRows` a row of Hugging Face's order lies, see {@link TensorInfo.interleavedHeads}. */
function interleavedRow(row: number, headRows: number): number {
  const half = headRows / 2;
  return 2 * (row % half) + Math.floor(row / half);
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
