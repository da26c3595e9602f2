import type { Random } from '../../../src/random.js';

/** Files of an input, by their names in its folder. */
export type InputFiles = Readonly<Record<string, string | Uint8Array>>;

/** A way in for files, or answers, that somebody else made. */
export interface Door {
  readonly name: string;
  /** A mutated input; the same for the same random numbers. */
  make(random: Random): InputFiles;
  /** Takes the input in a folder through the door, and everything behind it that trusts what it lets through. */
  enter(folder: string): void | Promise<void>;
}
