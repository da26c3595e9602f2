import type { ModelConfig } from './model-config.js';
import type { TensorInfo } from './tensor-info.js';

/** An open checkpoint: its configuration and where its tensors lie, under Hugging Face's names. Holds no weights. */
export interface Checkpoint {
  /** The folder in the Hugging Face layout, or the GGUF file. */
  readonly directory: string;
  readonly config: ModelConfig;
  /** Every stored tensor by name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Paths of the files that hold tensors. */
  readonly files: readonly string[];
  /** Paths of the files that `config` was read from. */
  readonly configFiles: readonly string[];
}
