import { byteLetters } from './byte-letters.js';
import { writeByteLevel } from './byte-level.js';
import { writeMiniature } from './miniature.js';

/** Layers of {@link writeSearchModel}. */
export const LAYERS = 6;

/** Writes a model of {@link LAYERS} layers whose inner ones do next to nothing, with a tokenizer of bytes. */
export function writeSearchModel(folder: string): string {
  const { directory } = writeMiniature(folder, { layers: LAYERS, innerScale: 1e-3 });
  writeByteLevel(directory, byteLetters());
  return directory;
}
