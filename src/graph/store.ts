import type { ModelConfig } from '../checkpoint/model-config.js';
import type { ModelTensors } from '../checkpoint/model-tensors.js';
import type { TensorInfo } from '../checkpoint/tensor-info.js';
import type { TensorReader } from '../checkpoint/tensor-reader.js';
import type { ExternalRange } from './builder.js';
import { type KeptRows, keepBlocks } from './kept-blocks.js';
import { ropesOf } from './layer-kinds.js';
import type { QuantisedLayout, StoragePlan } from './layout.js';
import type { StoredLinear } from './linear.js';
import type { Matrix, MatrixPart } from './matrices.js';
import type { StoredModel } from './model.js';
import { quantiseRows } from './quantise.js';
import { rotaryTable } from './rope.js';
import type { WeightFile } from './weight-file.js';

/** Weights are converted in pieces of about this many elements, so that memory does not grow with the model. */
const pieceElements = 4 << 20;

/**
 * Streams every weight of a checkpoint into the data file, as the plan has it, and returns where each lies.
 * @param onProgress told the number of elements stored so far.
 */
export function storeModel(
  config: ModelConfig,
  reader: TensorReader,
  tensors: ModelTensors,
  { matrices, layouts }: StoragePlan,
  file: WeightFile,
  onProgress: (elements: number) => void,
): StoredModel {
  let done = 0;
  const vector = (tensor: TensorInfo) => reader.readRows(tensor, 0, tensor.shape[0]!);
  const normOf = (tensor: TensorInfo | null) => (tensor === null ? null : vector(tensor));

  const linear = (matrix: Matrix): StoredLinear => {
    const { name, parts, columns } = matrix;
    const layout = layouts.get(matrix)!;
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const perPiece = Math.max(1, Math.floor(pieceElements / columns));
    const scales: Float32Array[] = [];
    const offsets: Float32Array[] = [];
    const writing = file.begin();
    for (const part of parts) {
      for (let first = 0; first < part.rows; first += perPiece) {
        const count = Math.min(perPiece, part.rows - first);
        if (layout.precision === 'fp32') writing.write(reader.readRows(part.weight, first, count));
        else {
          const quantised = quantisedRows(reader, part, first, count, columns, layout);
          writing.write(quantised.packed);
          scales.push(quantised.scales);
          if (layout.offsets)
            offsets.push(quantised.offsets ?? new Float32Array(quantised.scales.length));
        }
        done += count * columns;
        onProgress(done);
      }
    }
    const stored = writing.end();
    const bias = storeBias(reader, parts, file);
    const common = { name, rows, columns, bias };
    if (layout.precision === 'fp32') return { ...common, precision: 'fp32', weight: stored };
    return {
      ...common,
      ...{ precision: layout.precision, block: layout.block, packed: stored },
      scales: storePieces(file, scales),
      offsets: layout.offsets ? storePieces(file, offsets) : null,
    };
  };

  const embedding = linear(matrices.embedding);
  const head = matrices.head === null ? { ...embedding, name: 'head' } : linear(matrices.head);
  const layers = tensors.layers.map((layer, l) => {
    const { qkv, output, gateUp, down } = matrices.layers[l]!;
    const { qNorm, kNorm } = layer;
    return {
      attention: {
        norm: normOf(layer.attentionNorm),
        outNorm: normOf(layer.attentionOutNorm),
        qkNorm: qNorm && kNorm && { q: vector(qNorm), k: vector(kNorm) },
        qkv: linear(qkv),
        output: linear(output),
      },
      mlp: {
        norm: normOf(layer.mlpNorm),
        outNorm: normOf(layer.mlpOutNorm),
        gateUp: linear(gateUp),
        down: linear(down),
      },
    };
  });
  // A factor of logits costs nothing in the norm before the head; with a soft cap the logits are wanted over the cap.
  const factor = config.logitScale / (config.logitSoftCap ?? 1);
  return {
    embedding,
    head,
    layers,
    finalNorm: vector(tensors.finalNorm).map((weight) => factor * weight),
    ropeTables: ropesOf(config).map(([name, rope]) => {
      const { cos, sin, rows } = rotaryTable(config, rope);
      return { name, rows, cos: file.tensor(cos), sin: file.tensor(sin) };
    }),
  };
}

/** Some rows of a part: the file's own blocks where the layout has room for them, else quantised. */
function quantisedRows(
  reader: TensorReader,
  part: MatrixPart,
  first: number,
  count: number,
  columns: number,
  { precision, block, kept }: QuantisedLayout,
): KeptRows {
  const bits = precision === 'int8' ? 8 : 4;
  const type = kept.get(part);
  if (type !== undefined)
    return keepBlocks(type, reader.readBlocks(part.weight, first, count), bits);
  const piece = reader.readRows(part.weight, first, count);
  return { ...quantiseRows(piece, count, columns, bits, block), offsets: null };
}

/** The biases of a matrix's rows, zeros for parts without one; null where no part has any. */
function storeBias(
  reader: TensorReader,
  parts: readonly MatrixPart[],
  file: WeightFile,
): ExternalRange | null {
  if (parts.every(({ bias }) => bias === null)) return null;
  const pieces = parts.map(({ bias, rows }) =>
    bias === null ? new Float32Array(rows) : reader.readRows(bias, 0, rows),
  );
  return storePieces(file, pieces);
}

function storePieces(file: WeightFile, pieces: readonly Float32Array[]): ExternalRange {
  const writing = file.begin();
  for (const piece of pieces) writing.write(piece);
  return writing.end();
}
