import type { GgmlType } from '../checkpoint/gguf/ggml-types.js';
import { isKeptType, keptBits, keptBlock } from './kept-blocks.js';
import type { Matrix, MatrixPart } from './matrices.js';
import { type Precision, quantisationBlock } from './quantise.js';

/** How the weights of one matrix are stored. */
export type MatrixLayout = { readonly precision: 'fp32' } | QuantisedLayout;

/** Weights in blocks with a scale each. */
export interface QuantisedLayout {
  readonly precision: 'int8' | 'int4';
  /** Columns that share a scale. */
  readonly block: number;
  /** Whether blocks have offsets beside their scales, see kept-blocks.ts. */
  readonly offsets: boolean;
}

/** The type in which a tensor of the checkpoint is stored. */
export type TypeOf = (tensor: string) => GgmlType;

/** Whether the blocks of a part are taken as the file has them, instead of being quantised anew. */
export function keepsPart(part: MatrixPart, precision: Precision, typeOf: TypeOf): boolean {
  const type = typeOf(part.weight);
  return isKeptType(type) && precision === (keptBits[type] === 8 ? 'int8' : 'int4');
}

/** The layout of a matrix in a model of the precision: the blocks of a GGUF file decide where they are kept. */
export function layoutOf(
  { parts }: Matrix,
  precision: Precision,
  hiddenSize: number,
  typeOf: TypeOf,
): MatrixLayout {
  if (precision === 'fp32') return { precision };
  const kept = parts.filter((part) => keepsPart(part, precision, typeOf));
  if (kept.length === 0)
    return { precision, block: quantisationBlock(precision, hiddenSize), offsets: false };
  const offsets = kept.some(({ weight }) => typeOf(weight) === 'Q4_1');
  return { precision, block: keptBlock, offsets };
}
