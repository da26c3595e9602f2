import type { Checkpoint } from '../checkpoint.js';
import type { ModelConfig } from '../model-config.js';
import type { TokenizerSource } from '../tokenizer-source.js';

/** A file format of checkpoints. */
export interface Format {
  /** As in "3 GGUF files". */
  readonly name: string;
  /** What a user gives, as in "give a .gguf file". */
  readonly given: string;
  /** Whether a path is a checkpoint of this format, by names alone: nothing is read. */
  recognises(path: string): boolean;
  /**
   * Opens the checkpoint at a path; reads headers, no weights.
   * @throws InputError when a file is missing, damaged or not supported
   */
  open(path: string): Checkpoint;
  /**
   * Reads the configuration alone; weights need not be there.
   * @throws InputError as `open`, for the configuration
   */
  readConfig(path: string): ModelConfig;
  /**
   * Finds the tokenizer that stands with the checkpoint, which need not be whole; null when there is none.
   * @throws InputError when a file is damaged
   */
  findTokenizer(path: string): TokenizerSource | null;
}
