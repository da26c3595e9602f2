import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { byteLetters } from './byte-letters.js';
import { writeMiniature } from './miniature.js';

/** Layers of {@link writeSearchModel}. */
export const LAYERS = 6;

/** Writes a model of {@link LAYERS} layers whose inner ones do next to nothing, with a tokenizer of bytes. */
export function writeSearchModel(folder: string): string {
  const { directory } = writeMiniature(folder, { layers: LAYERS, innerScale: 1e-3 });
  const vocab = Object.fromEntries(byteLetters().map((letter, id) => [letter, id]));
  const tokenizer = {
    added_tokens: [],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges: [] },
  };
  writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify(tokenizer));
  return directory;
}
