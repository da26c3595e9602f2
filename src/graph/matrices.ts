import type { ModelConfig } from '../checkpoint/model-config.js';
import type { LinearTensors, ModelTensors } from '../checkpoint/model-tensors.js';
import type { TensorInfo } from '../checkpoint/tensor-info.js';

/** A matrix of the graph: the rows of one or several tensors of equal width under each other. */
export interface Matrix {
  readonly name: string;
  readonly columns: number;
  /** Which of its axes is the hidden state: the columns where it reads it, the rows where its result is added to it. */
  readonly stateAxis: 'rows' | 'columns';
  readonly parts: readonly MatrixPart[];
}

/** A tensor of a matrix, [rows, columns], and the tensor of its bias, [rows]. */
export interface MatrixPart {
  readonly weight: TensorInfo;
  readonly bias: TensorInfo | null;
  readonly rows: number;
}

/** The matrices of one layer. */
export interface LayerMatrices {
  readonly qkv: Matrix;
  readonly output: Matrix;
  readonly gateUp: Matrix;
  readonly down: Matrix;
}

/** All matrices of a model. */
export interface ModelMatrices {
  readonly embedding: Matrix;
  /** null where the head is the embedding. */
  readonly head: Matrix | null;
  /** The head once more, for drafts that read single rows of it; null where `head` or the embedding will do. */
  readonly headRows: Matrix | null;
  readonly layers: readonly LayerMatrices[];
}

/**
 * Which tensors make up each matrix of the graph: what multiplies the same input is one product.
 * @param rotated whether hidden states are (rotation.ts): then the head has the final norm in it, which the embedding has not.
 */
export function modelMatrices(
  config: ModelConfig,
  tensors: ModelTensors,
  rotated: boolean,
): ModelMatrices {
  const { hiddenSize, intermediateSize, headDim, heads, kvHeads, vocabSize } = config;
  const part = ({ weight, bias }: LinearTensors, rows: number) => ({ weight, bias, rows });
  const overVocabulary = (name: string, weight: TensorInfo): Matrix => ({
    name,
    columns: hiddenSize,
    stateAxis: 'columns',
    parts: [{ weight, bias: null, rows: vocabSize }],
  });
  return {
    embedding: overVocabulary('embedding', tensors.embedding),
    head:
      tensors.head === tensors.embedding && !rotated ? null : overVocabulary('head', tensors.head),
    headRows: rotated ? overVocabulary('head_rows', tensors.head) : null,
    layers: tensors.layers.map((layer, l) => ({
      qkv: {
        name: `layer${l}.qkv`,
        columns: hiddenSize,
        stateAxis: 'columns',
        parts: [
          part(layer.q, heads * headDim),
          part(layer.k, kvHeads * headDim),
          part(layer.v, kvHeads * headDim),
        ],
      },
      output: {
        name: `layer${l}.o`,
        columns: heads * headDim,
        stateAxis: 'rows',
        parts: [part(layer.o, hiddenSize)],
      },
      gateUp: {
        name: `layer${l}.gate_up`,
        columns: hiddenSize,
        stateAxis: 'columns',
        parts: [part(layer.gate, intermediateSize), part(layer.up, intermediateSize)],
      },
      down: {
        name: `layer${l}.down`,
        columns: intermediateSize,
        stateAxis: 'rows',
        parts: [part(layer.down, hiddenSize)],
      },
    })),
  };
}

/** The matrices in the order in which they are stored. */
export function matrixList({ embedding, head, headRows, layers }: ModelMatrices): Matrix[] {
  const heads = [head, headRows].filter((matrix) => matrix !== null);
  return [embedding, ...heads, ...layers.flatMap(matricesOfLayer)];
}

/** Those of a layer in the order in which they run. */
export function matricesOfLayer({ qkv, output, gateUp, down }: LayerMatrices): Matrix[] {
  return [qkv, output, gateUp, down];
}

/** Weights in a matrix. */
export function elementsOf({ parts, columns }: Matrix): number {
  return parts.reduce((sum, { rows }) => sum + rows * columns, 0);
}
