import { type GgmlType, ggmlTypes } from '../checkpoint/ggml/types.js';
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { ModelTensors } from '../checkpoint/model-tensors.js';
import { weightType } from '../checkpoint/weight-type.js';
import { fourBitBlock } from './four-bits.js';
import { isKeptType, type KeptType, keptBlock, keptForms } from './kept-blocks.js';
import {
  type Matrix,
  type MatrixPart,
  type ModelMatrices,
  matricesOfLayer,
  matrixList,
  modelMatrices,
} from './matrices.js';
import { type Precision, quantisationBlock } from './quantise.js';
import { type Rotation, rotationOf } from './rotation.js';

/** How the weights of one matrix are stored. */
export type MatrixLayout = { readonly form: 'floats' } | ChannelLayout | BlockLayout;

/** Weights of 8 bits with a scale for every row. */
export interface ChannelLayout {
  readonly form: 'channels';
}

/** Weights in blocks with a scale each. */
export interface BlockLayout {
  readonly form: 'blocks';
  readonly precision: 'int8' | 'int4';
  /** Columns that share a scale. */
  readonly block: number;
  /** Whether blocks have offsets beside their scales, see kept-blocks.ts. */
  readonly offsets: boolean;
  /** Parts whose blocks are taken as the file has them; the others are quantised. */
  readonly kept: ReadonlyMap<MatrixPart, KeptType>;
}

/** How the weights are stored that drafts have of a matrix (four-bits.ts). */
export const fourBitLayout: BlockLayout = {
  ...{ form: 'blocks', precision: 'int4', block: fourBitBlock },
  ...{ offsets: false, kept: new Map() },
};

/** The matrices of a model, and how each is stored. */
export interface StoragePlan {
  readonly matrices: ModelMatrices;
  readonly layouts: ReadonlyMap<Matrix, MatrixLayout>;
  /** Matrices that drafts have other weights of (four-bits.ts). */
  readonly fourBits: ReadonlySet<Matrix>;
  /** Of the hidden states; null where they are the checkpoint's own. */
  readonly rotation: Rotation | null;
}

/** More than the types of 4 bits take for a weight, scales included. */
const fourBitsAtMost = 5;

/**
 * Lays out the matrices of a model in a precision. Blocks of a file are kept where they are of its bits, not quantised a
 * second time: Q8_0 in int8, and in int4 those of 4 bits. Where those are most of the layers' weights, the file's maker chose
 * which matrices need more than 4 bits (embedding and head, as a rule), and those get 8: at 4, the head alone loses more than
 * all the rest (of SmolLM2's Q4_1: KL to fp32 0.053 against 0.003). Rotated weights are no longer the file's, and keep nothing.
 */
export function planStorage(
  config: ModelConfig,
  tensors: ModelTensors,
  precision: Precision,
): StoragePlan {
  const rotation = rotationOf(config, precision);
  const matrices = modelMatrices(config, tensors, rotation !== null);
  const layout =
    precision === 'fp32'
      ? (): MatrixLayout => ({ form: 'floats' })
      : rotation !== null
        ? rotatedLayouts(matrices, config.hiddenSize)
        : quantisedLayouts(matrices, precision, config.hiddenSize);
  return {
    matrices,
    layouts: new Map(matrixList(matrices).map((matrix) => [matrix, layout(matrix)])),
    fourBits: new Set(precision === 'int8' ? matrices.layers.flatMap(matricesOfLayer) : []),
    rotation,
  };
}

/** Whether blocks of the file are kept anywhere. */
export function keepsBlocks({ layouts }: StoragePlan): boolean {
  return [...layouts.values()].some((layout) => layout.form === 'blocks' && layout.kept.size > 0);
}

/**
 * Products of rotated states, and the head, are exact ones of integers. What other products read is not rotated and has
 * outliers, and rows of weights that are looked up one by one want to lie one after the other: these have blocks.
 */
function rotatedLayouts(
  { embedding, headRows }: ModelMatrices,
  hiddenSize: number,
): (matrix: Matrix) => MatrixLayout {
  const block = quantisationBlock('int8', hiddenSize);
  return (matrix) =>
    matrix.stateAxis === 'rows' || matrix === embedding || matrix === headRows
      ? { form: 'blocks', precision: 'int8', block, offsets: false, kept: new Map() }
      : { form: 'channels' };
}

function quantisedLayouts(
  matrices: ModelMatrices,
  precision: 'int8' | 'int4',
  hiddenSize: number,
): (matrix: Matrix) => BlockLayout {
  const isFourBitFile = precision === 'int4' && isMostlyFourBits(matrices);
  return ({ parts }) => {
    const needsMore =
      isFourBitFile && parts.some(({ weight }) => bitsOf(weightType(weight)) > fourBitsAtMost);
    const kept = new Map<MatrixPart, KeptType>();
    for (const part of parts) {
      const type = weightType(part.weight);
      if (isKeptType(type) && isKept(type, precision, isFourBitFile)) kept.set(part, type);
    }
    return {
      form: 'blocks',
      precision: needsMore ? 'int8' : precision,
      block: kept.size > 0 || needsMore ? keptBlock : quantisationBlock(precision, hiddenSize),
      offsets: [...kept.values()].some((type) => keptForms[type].hasOffsets),
      kept,
    };
  };
}

function isKept(type: KeptType, precision: 'int8' | 'int4', isFourBitFile: boolean): boolean {
  const { bits } = keptForms[type];
  return precision === 'int8' ? bits === 8 : bits === 4 || isFourBitFile;
}

/** Whether most weights of the layers are in blocks of 4 bits that can be kept. */
function isMostlyFourBits({ layers }: ModelMatrices): boolean {
  let all = 0;
  let four = 0;
  for (const { parts, columns } of layers.flatMap(matricesOfLayer))
    for (const { weight, rows } of parts) {
      const type = weightType(weight);
      all += rows * columns;
      if (isKeptType(type) && keptForms[type].bits === 4) four += rows * columns;
    }
  return 2 * four > all;
}

function bitsOf(type: GgmlType): number {
  const { blockBytes, blockElements } = ggmlTypes[type];
  return (8 * blockBytes) / blockElements;
}
