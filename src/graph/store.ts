import type { LlamaTensors } from '../checkpoint/llama-tensors.js';
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Weights } from '../checkpoint/weights.js';
import { type KeptRows, keepBlocks } from './kept-blocks.js';
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
  weights: Weights,
  tensors: LlamaTensors,
  { matrices, layouts }: StoragePlan,
  file: WeightFile,
  onProgress: (elements: number) => void,
): StoredModel {
  let done = 0;
  const vector = (name: string, size: number) => weights.readRows(name, 0, size);

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
        if (layout.precision === 'fp32') writing.write(weights.readRows(part.weight, first, count));
        else {
          const quantised = quantisedRows(weights, part, first, count, columns, layout);
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
    const biases = parts.flatMap((part) => (part.bias ? [vector(part.bias, part.rows)] : []));
    const bias = biases.length > 0 ? storePieces(file, biases) : null;
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
  const { hiddenSize } = config;
  const layers = tensors.layers.map((names, l) => {
    const { qkv, output, gateUp, down } = matrices.layers[l]!;
    return {
      attention: {
        norm: vector(names.attentionNorm, hiddenSize),
        qkv: linear(qkv),
        output: linear(output),
      },
      mlp: {
        norm: vector(names.mlpNorm, hiddenSize),
        gateUp: linear(gateUp),
        down: linear(down),
      },
    };
  });
  const { cos, sin } = rotaryTable(config, config.contextLength);
  return {
    embedding,
    head,
    layers,
    finalNorm: vector(tensors.finalNorm, hiddenSize),
    ropeTable: { rows: config.contextLength, cos: file.tensor(cos), sin: file.tensor(sin) },
  };
}

/** Some rows of a part: the file's own blocks where the layout has room for them, else quantised. */
function quantisedRows(
  weights: Weights,
  part: MatrixPart,
  first: number,
  count: number,
  columns: number,
  { precision, block, kept }: QuantisedLayout,
): KeptRows {
  const bits = precision === 'int8' ? 8 : 4;
  const type = kept.get(part);
  if (type !== undefined)
    return keepBlocks(type, weights.readBlocks(part.weight, first, count), bits);
  const piece = weights.readRows(part.weight, first, count);
  return { ...quantiseRows(piece, count, columns, bits, block), offsets: null };
}

function storePieces(file: WeightFile, pieces: readonly Float32Array[]) {
  const writing = file.begin();
  for (const piece of pieces) writing.write(piece);
  return writing.end();
}
