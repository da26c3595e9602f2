import type { TensorReader } from '../checkpoint/tensor-reader.js';
import type { ExternalRange } from './builder.js';
import { type KeptRows, type KeptType, keepBlocks } from './kept-blocks.js';
import type { StoredBlocks, StoredChannels, StoredLinear } from './linear.js';
import { elementsOf, type Matrix, type MatrixPart } from './matrices.js';
import { quantiseChannels, quantiseRows } from './quantise.js';
import type { Rotation } from './rotation.js';
import { writeAt } from './weight-file.js';

/** A matrix that has its place in the data file and is to be written there. Other threads can be sent it. */
export interface MatrixTask {
  readonly matrix: Matrix;
  readonly stored: StoredLinear;
  /** Its weights for drafts; null where they have the same. */
  readonly draft: StoredBlocks | null;
  /** Parts whose blocks are taken as the checkpoint has them. */
  readonly kept: ReadonlyMap<MatrixPart, KeptType>;
  /** Weights of the norm before it, which a rotated matrix takes in; null where there is none. */
  readonly norm: Float32Array | null;
}

/** What matrices are made from, and where they are written. */
export interface MatrixStore {
  readonly reader: TensorReader;
  /** Of the hidden states; null where they are the checkpoint's own. */
  readonly rotation: Rotation | null;
  /** Of the data file. */
  readonly descriptor: number;
  /** Told of the elements of every piece. */
  readonly onProgress: (elements: number) => void;
}

/** Weights are converted in pieces of about this many elements, which fit into a processor's own cache. */
const pieceElements = 1 << 17;

/** Some rows of a matrix. */
interface Piece {
  readonly part: MatrixPart;
  /** Of the part's rows, and how many. */
  readonly first: number;
  readonly count: number;
  /** Of all rows of the matrix. */
  readonly at: number;
  /** Room for its weights, which all pieces of a matrix share. */
  readonly into: Float32Array;
}

/** Writes a matrix piece by piece, and its biases. */
export function storeMatrix(task: MatrixTask, store: MatrixStore): void {
  const { matrix, stored } = task;
  if (stored.form === 'channels') storeChannels(task, stored, store);
  else
    for (const piece of piecesOf(task, store)) {
      const { count, at } = piece;
      const write = (range: ExternalRange, rowBytes: number, data: ArrayBufferView) =>
        writeAt(store.descriptor, range.offset + at * rowBytes, data);
      if (stored.form === 'floats')
        write(stored.weight, 4 * stored.columns, readPiece(piece, task, store));
      else {
        const bits = stored.precision === 'int8' ? 8 : 4;
        const blocks = Math.ceil(stored.columns / stored.block);
        const kept = keptRows(piece, task, store, bits);
        const values = kept && !task.draft ? null : readPiece(piece, task, store);
        const { packed, scales, offsets }: KeptRows = kept ?? {
          ...quantiseRows(values!, count, stored.columns, bits, stored.block),
          offsets: null,
        };
        write(stored.packed, (blocks * stored.block * bits) / 8, packed);
        write(stored.scales, 4 * blocks, scales);
        if (stored.offsets && offsets) write(stored.offsets, 4 * blocks, offsets);
        if (task.draft) writeFourBits(task.draft, piece, values!, store);
      }
      store.onProgress(count * matrix.columns);
    }
  if (stored.bias) writeAt(store.descriptor, stored.bias.offset, biasOf(matrix, stored, store));
}

/** Columns lie one after the other: the matrix is written when its last row is there. */
function storeChannels(task: MatrixTask, stored: StoredChannels, store: MatrixStore): void {
  const { rows, columns, weight, scales } = stored;
  const integers = new Int8Array(rows * columns);
  const steps = new Float32Array(rows);
  for (const piece of piecesOf(task, store)) {
    const values = readPiece(piece, task, store);
    steps.set(quantiseChannels(values, columns, integers, piece.at), piece.at);
    if (task.draft) writeFourBits(task.draft, piece, values, store);
    store.onProgress(values.length);
  }
  writeAt(store.descriptor, weight.offset, integers);
  writeAt(store.descriptor, scales.offset, steps);
}

/** Writes the weights of a piece that drafts have. */
function writeFourBits(
  { columns, block, packed, scales }: StoredBlocks,
  { count, at }: Piece,
  values: Float32Array,
  { descriptor }: MatrixStore,
): void {
  const rows = quantiseRows(values, count, columns, 4, block, true);
  const blocks = Math.ceil(columns / block);
  writeAt(descriptor, packed.offset + (at * blocks * block) / 2, rows.packed);
  writeAt(descriptor, scales.offset + 4 * at * blocks, rows.scales);
}

/** Memory that a matrix needs while it is written, beside that of a piece. */
export function bytesAtOnce({ matrix, stored }: MatrixTask, isRotated: boolean): number {
  if (stored.form === 'channels') return elementsOf(matrix);
  return isRotated && matrix.stateAxis === 'rows' ? 5 * elementsOf(matrix) : 0;
}

/** Whether rows are rotated: then every one of them takes part in all the others. */
function mixesRows({ stateAxis }: Matrix, rotation: Rotation | null): boolean {
  return rotation !== null && stateAxis === 'rows';
}

/** A matrix in pieces, in the order of its rows; each part is one where its rows are mixed. */
function* piecesOf({ matrix }: MatrixTask, { rotation }: MatrixStore): Generator<Piece> {
  const { parts, columns } = matrix;
  const perPiece = Math.max(1, Math.floor(pieceElements / columns));
  const most = mixesRows(matrix, rotation) ? Number.POSITIVE_INFINITY : perPiece;
  const into = new Float32Array(
    columns * Math.min(most, Math.max(...parts.map(({ rows }) => rows))),
  );
  let at = 0;
  for (const part of parts) {
    for (let first = 0; first < part.rows; first += most) {
      const count = Math.min(most, part.rows - first);
      yield { part, first, count, at, into };
      at += count;
    }
  }
}

/** The weights of a piece, [count, columns], in the basis that the model is compiled in. */
function readPiece(
  { part, first, count, into }: Piece,
  { matrix, norm }: MatrixTask,
  { reader, rotation }: MatrixStore,
): Float32Array {
  const weights = reader.readRows(part.weight, first, count, into);
  if (rotation === null) return weights;
  if (mixesRows(matrix, rotation)) rotation.columns(weights);
  else rotation.rows(weights, 'there', norm ?? undefined);
  return weights;
}

/** Some rows of a part as the file's own blocks; null where they are not kept. */
function keptRows(
  { part, first, count }: Piece,
  { kept }: MatrixTask,
  { reader }: MatrixStore,
  bits: 8 | 4,
): KeptRows | null {
  const type = kept.get(part);
  return type === undefined
    ? null
    : keepBlocks(type, reader.readBlocks(part.weight, first, count), bits);
}

/** The biases of a matrix's rows, zeros for parts without one. */
function biasOf(
  { parts, stateAxis }: Matrix,
  { rows }: StoredLinear,
  { reader, rotation }: MatrixStore,
): Float32Array {
  const all = new Float32Array(rows);
  let at = 0;
  for (const { bias, rows } of parts) {
    if (bias !== null) all.set(reader.readRows(bias, 0, rows), at);
    at += rows;
  }
  if (stateAxis === 'rows') rotation?.rows(all);
  return all;
}
