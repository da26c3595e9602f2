import type { ModelConfig } from '../checkpoint/model-config.js';
import type { LinearTensors, ModelTensors } from '../checkpoint/model-tensors.js';
import type { TensorInfo } from '../checkpoint/tensor-info.js';

/** A matrix of the graph: the rows of one or several tensors of equal width under each other. */
export interface Matrix {
  readonly name: string;
  readonly columns: number;
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
  readonly layers: readonly LayerMatrices[];
}

/** Which tensors make up each matrix of the graph: what multiplies the same input is one product. */
export function modelMatrices(config: ModelConfig, tensors: ModelTensors): ModelMatrices {
  const { hiddenSize, intermediateSize, headDim, heads, kvHeads, vocabSize } = config;
  const part = ({ weight, bias }: LinearTensors, rows: number) => ({ weight, bias, rows });
  const overVocabulary = (name: string, weight: TensorInfo): Matrix => ({
    name,
    columns: hiddenSize,
    parts: [{ weight, bias: null, rows: vocabSize }],
  });
  return {
    embedding: overVocabulary('embedding', tensors.embedding),
    head: tensors.head === tensors.embedding ? null : overVocabulary('head', tensors.head),
    layers: tensors.layers.map((layer, l) => ({
      qkv: {
        name: `layer${l}.qkv`,
        columns: hiddenSize,
        parts: [
          part(layer.q, heads * headDim),
          part(layer.k, kvHeads * headDim),
          part(layer.v, kvHeads * headDim),
        ],
      },
      output: {
        name: `layer${l}.o`,
        columns: heads * headDim,
        parts: [part(layer.o, hiddenSize)],
      },
      gateUp: {
        name: `layer${l}.gate_up`,
        columns: hiddenSize,
        parts: [part(layer.gate, intermediateSize), part(layer.up, intermediateSize)],
      },
      down: {
        name: `layer${l}.down`,
        columns: intermediateSize,
        parts: [part(layer.down, hiddenSize)],
      },
    })),
  };
}

/** The matrices in the order in which they are stored. */
export function matrixList({ embedding, head, layers }: ModelMatrices): Matrix[] {
  return [embedding, ...(head === null ? [] : [head]), ...layers.flatMap(matricesOfLayer)];
}

/** Those of a layer in the order in which they run. */
export function matricesOfLayer({ qkv, output, gateUp, down }: LayerMatrices): Matrix[] {
  return [qkv, output, gateUp, down];
}
