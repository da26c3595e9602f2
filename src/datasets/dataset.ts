/** The two halves of a bundled dataset: one to search on, one that no search may see. */
export type Split = 'calibration' | 'heldout';

/** One prompt, ready to be tokenized. */
export interface Prompt {
  /** Unique within its dataset: where a file repeats an id, later ones end in `#2`, `#3`, ... */
  readonly id: string;
  /**
   * What it is counted with, since results are pooled and shown by it: the name of the dataset it came from, also inside a
   * group, and of a dataset with parts (Spec-Bench) `name:part`.
   */
  readonly dataset: string;
  /** The rendered template, with what a row puts before it (a system message) or after it (an input); never blank. */
  readonly prompt: string;
  /** Strings that end the continuation, from the task file. */
  readonly stop: readonly string[];
  /**
   * User turns of a conversation, for a model that chats; one that does not continues `prompt`, which is the first turn or, of a
   * single instruction, the same put to be continued.
   */
  readonly turns?: readonly string[];
  /** The benchmark's own category of the prompt (Spec-Bench: writing, qa, ...). */
  readonly category?: string;
  /** What the benchmark gives as the right continuation; several (one per turn, or alternatives) stand on a line each. */
  readonly reference?: string;
}

/** Prompts with what is needed to say later which ones they were. */
export interface Dataset {
  /** Bundled name, group name, or the name of the file without its extension, with `#column` for another than `prompt`. */
  readonly name: string;
  /** null for a file of the user's. */
  readonly split: Split | null;
  /** Version of the task file (template, fields, stop strings); of a group, the highest of its members. */
  readonly version: number;
  /** SHA-256, in hexadecimal, over the bytes of the task file and of the prompt file; of a group, over its members' hashes. */
  readonly hash: string;
  readonly prompts: readonly Prompt[];
}
