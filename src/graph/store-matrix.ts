import type { TensorReader } from '../checkpoint/tensor-reader.js';
import type { ExternalRange } from './builder.js';
import { type KeptRows, keepBlocks } from './kept-blocks.js';
import type { BlockLayout, MatrixLayout } from './layout.js';
import type { StoredLinear } from './linear.js';
import type { Matrix, MatrixPart } from './matrices.js';
import { quantiseChannels, quantiseRows } from './quantise.js';
import type { Rotation } from './rotation.js';
import type { WeightFile } from './weight-file.js';

/** Weights are converted in pieces of about this many elements, so that memory does not grow with the model. */
const pieceElements = 4 << 20;

/** Some rows of a matrix. */
export interface Piece {
  readonly part: MatrixPart;
  /** Of the part's rows, and how many. */
  readonly first: number;
  readonly count: number;
  /** Reads them, [count, columns], in the basis that the model is compiled in. */
  readonly read: () => Float32Array;
}

/**
 * A matrix in pieces, in the order of its rows. One whose rows are rotated is a single piece, as every one of them takes part in
 * all the others.
 * @param norm weights of the norm before it, which a rotated matrix takes in; null where there is none.
 */
export function* piecesOf(
  reader: TensorReader,
  { parts, columns, stateAxis }: Matrix,
  rotation: Rotation | null,
  norm: Float32Array | null,
): Generator<Piece> {
  const isWhole = rotation !== null && stateAxis === 'rows';
  const perPiece = Math.max(1, Math.floor(pieceElements / columns));
  for (const part of parts) {
    const most = isWhole ? part.rows : perPiece;
    for (let first = 0; first < part.rows; first += most) {
      const count = Math.min(most, part.rows - first);
      const read = () => {
        const weights = reader.readRows(part.weight, first, count);
        if (rotation === null) return weights;
        if (isWhole) rotation.columns(weights);
        else {
          if (norm) for (let i = 0; i < weights.length; i++) weights[i]! *= norm[i % columns]!;
          rotation.rows(weights);
        }
        return weights;
      };
      yield { part, first, count, read };
    }
  }
}

/** Writes a matrix, piece by piece, in its layout. @param onProgress told of the elements of every piece. */
export function storeMatrix(
  reader: TensorReader,
  { name, parts, columns, stateAxis }: Matrix,
  rotation: Rotation | null,
  layout: MatrixLayout,
  pieces: Iterable<Piece>,
  file: WeightFile,
  onProgress: (elements: number) => void,
): StoredLinear {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const stored = storeWeights(reader, { rows, columns }, layout, pieces, file, onProgress);
  const bias = biasOf(reader, parts);
  if (bias && stateAxis === 'rows') rotation?.rows(bias);
  return { name, rows, columns, bias: bias && file.tensor(bias), ...stored };
}

type StoredWeights = StoredLinear extends infer S
  ? S extends StoredLinear
    ? Omit<S, 'name' | 'rows' | 'columns' | 'bias'>
    : never
  : never;

function storeWeights(
  reader: TensorReader,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  layout: MatrixLayout,
  pieces: Iterable<Piece>,
  file: WeightFile,
  onProgress: (elements: number) => void,
): StoredWeights {
  if (layout.form === 'channels') {
    const weights = new Int8Array(rows * columns);
    const scales = new Float32Array(rows);
    let at = 0;
    for (const { count, read } of pieces) {
      scales.set(quantiseChannels(read(), columns, weights, at), at);
      at += count;
      onProgress(count * columns);
    }
    return { form: 'channels', weight: file.tensor(weights), scales: file.tensor(scales) };
  }
  const scales: Float32Array[] = [];
  const offsets: Float32Array[] = [];
  const writing = file.begin();
  for (const piece of pieces) {
    if (layout.form === 'floats') writing.write(piece.read());
    else {
      const quantised = quantisedRows(reader, piece, columns, layout);
      writing.write(quantised.packed);
      scales.push(quantised.scales);
      if (layout.offsets)
        offsets.push(quantised.offsets ?? new Float32Array(quantised.scales.length));
    }
    onProgress(piece.count * columns);
  }
  const stored = writing.end();
  if (layout.form === 'floats') return { form: 'floats', weight: stored };
  return {
    ...{ form: 'blocks', precision: layout.precision, block: layout.block, packed: stored },
    scales: storePieces(file, scales),
    offsets: layout.offsets ? storePieces(file, offsets) : null,
  };
}

/** Some rows of a part: the file's own blocks where the layout has room for them, else quantised. */
function quantisedRows(
  reader: TensorReader,
  { part, first, count, read }: Piece,
  columns: number,
  { precision, block, kept }: BlockLayout,
): KeptRows {
  const bits = precision === 'int8' ? 8 : 4;
  const type = kept.get(part);
  if (type !== undefined)
    return keepBlocks(type, reader.readBlocks(part.weight, first, count), bits);
  return { ...quantiseRows(read(), count, columns, bits, block), offsets: null };
}

/** The biases of a matrix's rows, zeros for parts without one; null where no part has any. */
function biasOf(reader: TensorReader, parts: readonly MatrixPart[]): Float32Array | null {
  if (parts.every(({ bias }) => bias === null)) return null;
  const all = new Float32Array(parts.reduce((sum, { rows }) => sum + rows, 0));
  let at = 0;
  for (const { bias, rows } of parts) {
    if (bias !== null) all.set(reader.readRows(bias, 0, rows), at);
    at += rows;
  }
  return all;
}

function storePieces(file: WeightFile, pieces: readonly Float32Array[]): ExternalRange {
  const writing = file.begin();
  for (const piece of pieces) writing.write(piece);
  return writing.end();
}
