import type { LlamaTensors } from '../checkpoint/llama-tensors.js';
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Weights } from '../checkpoint/weights.js';
import type { StoredLinear } from './linear.js';
import type { StoredModel } from './model.js';
import { type Precision, quantisationBlock, quantiseRows } from './quantise.js';
import { rotaryTable } from './rope.js';
import type { WeightFile } from './weight-file.js';

/** Weights are converted in pieces of about this many elements, so that memory does not grow with the model. */
const pieceElements = 4 << 20;

/**
 * Streams every weight of a checkpoint into the data file, quantised to the precision, and returns where each lies.
 * @param onProgress told the number of elements stored so far.
 */
export function storeModel(
  config: ModelConfig,
  weights: Weights,
  tensors: LlamaTensors,
  precision: Precision,
  file: WeightFile,
  onProgress: (elements: number) => void,
): StoredModel {
  const block = quantisationBlock(precision, config.hiddenSize);
  let done = 0;
  const vector = (name: string, size: number) => weights.readRows(name, 0, size);

  /** Stores the rows of several matrices of equal width under each other as one. */
  const linear = (
    name: string,
    parts: readonly { weight: string; bias?: string | null; rows: number }[],
    columns: number,
  ): StoredLinear => {
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const perPiece = Math.max(1, Math.floor(pieceElements / columns));
    const scales: Float32Array[] = [];
    const writing = file.begin();
    for (const part of parts) {
      for (let first = 0; first < part.rows; first += perPiece) {
        const count = Math.min(perPiece, part.rows - first);
        const piece = weights.readRows(part.weight, first, count);
        if (precision === 'fp32') writing.write(piece);
        else {
          const quantised = quantiseRows(
            piece,
            count,
            columns,
            precision === 'int8' ? 8 : 4,
            block,
          );
          writing.write(quantised.packed);
          scales.push(quantised.scales);
        }
        done += count * columns;
        onProgress(done);
      }
    }
    const stored = writing.end();
    const biases = parts.flatMap((part) => (part.bias ? [vector(part.bias, part.rows)] : []));
    const bias = biases.length > 0 ? storePieces(file, biases) : null;
    const common = { name, rows, columns, bias };
    if (precision === 'fp32') return { ...common, precision, weight: stored };
    return { ...common, precision, block, packed: stored, scales: storePieces(file, scales) };
  };

  const { hiddenSize, intermediateSize, headDim, heads, kvHeads, vocabSize } = config;
  const embedding = linear(
    'embedding',
    [{ weight: tensors.embedding, rows: vocabSize }],
    hiddenSize,
  );
  const head =
    tensors.head === tensors.embedding
      ? { ...embedding, name: 'head' }
      : linear('head', [{ weight: tensors.head, rows: vocabSize }], hiddenSize);
  const layers = tensors.layers.map((names, l) => ({
    attention: {
      norm: vector(names.attentionNorm, hiddenSize),
      qkv: linear(
        `layer${l}.qkv`,
        [
          { ...names.q, rows: heads * headDim },
          { ...names.k, rows: kvHeads * headDim },
          { ...names.v, rows: kvHeads * headDim },
        ],
        hiddenSize,
      ),
      output: linear(`layer${l}.o`, [{ ...names.o, rows: hiddenSize }], heads * headDim),
    },
    mlp: {
      norm: vector(names.mlpNorm, hiddenSize),
      gateUp: linear(
        `layer${l}.gate_up`,
        [
          { ...names.gate, rows: intermediateSize },
          { ...names.up, rows: intermediateSize },
        ],
        hiddenSize,
      ),
      down: linear(`layer${l}.down`, [{ ...names.down, rows: hiddenSize }], intermediateSize),
    },
  }));
  const { cos, sin } = rotaryTable(config, config.contextLength);
  return {
    embedding,
    head,
    layers,
    finalNorm: vector(tensors.finalNorm, hiddenSize),
    ropeTable: { rows: config.contextLength, cos: file.tensor(cos), sin: file.tensor(sin) },
  };
}

function storePieces(file: WeightFile, pieces: readonly Float32Array[]) {
  const writing = file.begin();
  for (const piece of pieces) writing.write(piece);
  return writing.end();
}
