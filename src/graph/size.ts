import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { modelTensors } from '../checkpoint/model-tensors.js';
import { fourBitLayout, type MatrixLayout, planStorage } from './layout.js';
import type { Matrix } from './matrices.js';
import { type Precision, smallestBlock } from './quantise.js';

/**
 * Bytes of a model's matrices in a compiled model, scales and what drafts have of them included. Norms, biases and the rotary
 * table come on top; they are small.
 * @returns null where the precision does not fit the model's sizes (see `compileModel`).
 */
export function compiledBytes(checkpoint: Checkpoint, precision: Precision): number | null {
  const { config } = checkpoint;
  if (precision !== 'fp32' && config.hiddenSize % smallestBlock !== 0) return null;
  const { layouts, fourBits } = planStorage(config, modelTensors(checkpoint), precision);
  let bytes = 0;
  for (const [matrix, layout] of layouts) bytes += matrixBytes(matrix, layout);
  for (const matrix of fourBits) bytes += matrixBytes(matrix, fourBitLayout);
  return bytes;
}

/** Bytes of one of them. */
export function matrixBytes({ parts, columns }: Matrix, layout: MatrixLayout): number {
  return parts.reduce((sum, { rows }) => sum + rows * rowBytes(columns, layout), 0);
}

/** Bytes of the keys and values of a sequence that fills the context. */
export function kvCacheBytes({ layers, kvHeads, headDim, contextLength }: ModelConfig): number {
  return 2 * layers * kvHeads * headDim * contextLength * Float32Array.BYTES_PER_ELEMENT;
}

/** A row: with a float scale, or in blocks of columns with a float scale each, and an offset where there are any. */
function rowBytes(columns: number, layout: MatrixLayout): number {
  if (layout.form === 'floats') return 4 * columns;
  if (layout.form === 'channels') return columns + 4;
  const { block, offsets } = layout;
  const bits = layout.precision === 'int8' ? 8 : 4;
  return Math.ceil(columns / block) * ((block * bits) / 8 + (offsets ? 8 : 4));
}
