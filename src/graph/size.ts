import type { ModelConfig } from '../checkpoint/model-config.js';
import { type Precision, quantisationBlock, smallestBlock } from './quantise.js';

/**
 * Bytes of a model's matrices in a compiled model, scales included. Norms, biases and the rotary table come on top; they
 * are small.
 * @returns null where the precision does not fit the model's sizes (see `compileModel`).
 */
export function compiledBytes(config: ModelConfig, precision: Precision): number | null {
  if (precision !== 'fp32' && config.hiddenSize % smallestBlock !== 0) return null;
  const { hiddenSize: d, headDim, heads, kvHeads, intermediateSize, layers, vocabSize } = config;
  const block = quantisationBlock(precision, d);
  const matrix = (rows: number, columns: number) => rows * rowBytes(columns, precision, block);
  const attention = matrix((heads + 2 * kvHeads) * headDim, d) + matrix(d, heads * headDim);
  const mlp = 2 * matrix(intermediateSize, d) + matrix(d, intermediateSize);
  return layers * (attention + mlp) + matrix(vocabSize, d) * (config.tiedEmbeddings ? 1 : 2);
}

/** Bytes of the keys and values of a sequence that fills the context. */
export function kvCacheBytes({ layers, kvHeads, headDim, contextLength }: ModelConfig): number {
  return 2 * layers * kvHeads * headDim * contextLength * Float32Array.BYTES_PER_ELEMENT;
}

/** A row in blocks of columns, each with a float scale. */
function rowBytes(columns: number, precision: Precision, block: number): number {
  if (precision === 'fp32') return 4 * columns;
  const blocks = Math.ceil(columns / block);
  return blocks * ((block * (precision === 'int8' ? 8 : 4)) / 8 + 4);
}
