import type { ModelConfig } from '../checkpoint/model-config.js';
import type { ModelTensors } from '../checkpoint/model-tensors.js';
import type { TensorInfo } from '../checkpoint/tensor-info.js';
import type { TensorReader } from '../checkpoint/tensor-reader.js';
import { fourBitName } from './four-bits.js';
import { ropesOf } from './layer-kinds.js';
import { fourBitLayout, type StoragePlan } from './layout.js';
import type { StoredBlocks, StoredLinear, StoredRows } from './linear.js';
import type { Matrix } from './matrices.js';
import type { StoredModel } from './model.js';
import { placeMatrix } from './place-matrix.js';
import { rotaryTable } from './rope.js';
import type { MatrixTask } from './store-matrix.js';
import type { WeightFile } from './weight-file.js';

/** A model whose weights have their places in the data file: what lies where, and what is still to be written there. */
export interface PlacedModel {
  readonly stored: StoredModel;
  readonly tasks: readonly MatrixTask[];
}

/** Gives every weight of a checkpoint its place in the data file, as the plan has it, and writes all but the matrices. */
export function placeModel(
  config: ModelConfig,
  reader: TensorReader,
  tensors: ModelTensors,
  { matrices, layouts, rotation, fourBits }: StoragePlan,
  file: WeightFile,
): PlacedModel {
  const tasks: MatrixTask[] = [];
  const draftMatrices: StoredBlocks[] = [];
  const vector = (tensor: TensorInfo) => reader.readRows(tensor, 0, tensor.shape[0]!);
  const normOf = (tensor: TensorInfo | null) => (tensor === null ? null : vector(tensor));
  /** What drafts have of a matrix: its bias is the model's. */
  const fourBitsOf = ({ name, parts, ...rest }: Matrix): StoredBlocks => {
    const weights = parts.map((part) => ({ ...part, bias: null }));
    const own = { ...rest, name: fourBitName(name), parts: weights };
    const stored = placeMatrix(own, fourBitLayout, file);
    if (stored.form !== 'blocks') throw new TypeError(`${stored.name} has no blocks`);
    return stored;
  };
  /** @param norm weights of the norm before it, which a rotated matrix takes in. */
  const linear = (matrix: Matrix, norm: Float32Array | null = null): StoredLinear => {
    const layout = layouts.get(matrix)!;
    const stored = placeMatrix(matrix, layout, file);
    const draft = fourBits.has(matrix) ? fourBitsOf(matrix) : null;
    if (draft) draftMatrices.push(draft);
    const kept = layout.form === 'blocks' ? layout.kept : new Map();
    tasks.push({ matrix, stored, draft, kept, norm });
    return stored;
  };
  /** A matrix that is laid out so that its rows can be looked up. */
  const rowsOf = (matrix: Matrix, norm: Float32Array | null = null): StoredRows => {
    const stored = linear(matrix, norm);
    if (stored.form === 'channels') throw new TypeError(`${stored.name} is laid out by columns`);
    return stored;
  };
  /** A norm's weights, where its matrices have not taken them in. */
  const keptNorm = (norm: Float32Array | null) =>
    rotation && norm ? new Float32Array(norm.length).fill(1) : norm;

  const embedding = rowsOf(matrices.embedding);
  // A factor of logits costs nothing in the norm before the head; with a soft cap the logits are wanted over the cap.
  const factor = config.logitScale / (config.logitSoftCap ?? 1);
  const finalNorm = vector(tensors.finalNorm).map((weight) => factor * weight);
  const head =
    matrices.head === null ? { ...embedding, name: 'head' } : linear(matrices.head, finalNorm);
  const headRows = matrices.headRows && rowsOf(matrices.headRows, finalNorm);
  const layers = tensors.layers.map((layer, l) => {
    const { qkv, output, gateUp, down } = matrices.layers[l]!;
    const { qNorm, kNorm } = layer;
    const attentionNorm = normOf(layer.attentionNorm);
    const mlpNorm = normOf(layer.mlpNorm);
    return {
      attention: {
        qkv: linear(qkv, attentionNorm),
        norm: keptNorm(attentionNorm),
        outNorm: normOf(layer.attentionOutNorm),
        qkNorm: qNorm && kNorm && { q: vector(qNorm), k: vector(kNorm) },
        output: linear(output),
      },
      mlp: {
        gateUp: linear(gateUp, mlpNorm),
        norm: keptNorm(mlpNorm),
        outNorm: normOf(layer.mlpOutNorm),
        down: linear(down),
      },
    };
  });
  const stored = {
    embedding,
    head,
    headRows,
    layers,
    draftMatrices,
    finalNorm: keptNorm(finalNorm)!,
    ropeTables: ropesOf(config).map(([name, rope]) => {
      const { cos, sin, rows } = rotaryTable(config, rope);
      return { name, rows, cos: file.tensor(cos), sin: file.tensor(sin) };
    }),
  };
  return { stored, tasks };
}
