import type { TensorNames } from './families/family.js';
import type { ModelConfig } from './model-config.js';
import type { TensorInfo } from './tensor-info.js';
import { createTensorReader, type TensorReader } from './tensor-reader.js';

/** What a file format tells of a checkpoint. */
export interface CheckpointContents {
  /** The folder or file that was opened. */
  readonly directory: string;
  readonly config: ModelConfig;
  /** How its tensors are called. */
  readonly names: TensorNames;
  /** Every stored tensor by name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * What the model's hash is of, beside the configuration: every tensor, by the name that it has or would have in the Hugging Face
   * layout.
   */
  readonly identity: ReadonlyMap<string, TensorInfo>;
  /** Paths of the files that hold all this: those of the tensors, then those of the configuration. */
  readonly files: readonly string[];
}

/** An open checkpoint, whatever its format. Holds no weights, and no open file before weights are read. */
export interface Checkpoint extends CheckpointContents, TensorReader {}

/** A checkpoint of tensors that lie as they are in files. */
export function createCheckpoint(contents: CheckpointContents): Checkpoint {
  return { ...contents, ...createTensorReader() };
}
