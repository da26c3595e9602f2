import type { Checkpoint } from '../checkpoint.js';
import type { ModelConfig } from '../model-config.js';
import type { TokenizerSource } from '../tokenizer-source.js';

/** What names of files say, wherever these are. */
export interface FileNames {
  /** Whether a file of this name is a checkpoint by itself. */
  isCheckpoint(name: string): boolean;
  /** Whether it is a part of one that is split over several files, which are not read. */
  isPart(name: string): boolean;
}

/** A file format of checkpoints. */
export interface Format {
  /** As in "3 GGUF files". */
  readonly name: string;
  /** What a user gives, as in "give a .gguf file". */
  readonly given: string;
  /** Checkpoints of one file, by what names say of them; null for a format of folders. */
  readonly file: FileNames | null;
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
