import { statSync } from 'node:fs';
import type { Format } from '../format.js';
import { ggufConfig } from './config.js';
import { openGguf } from './open.js';
import { openGgufHeader } from './open-header.js';
import { ggufTokenizerSource } from './tokenizer-source.js';

/** One file of llama.cpp's, configuration and tokenizer in its metadata. */
export const gguf: Format = {
  name: 'GGUF',
  given: 'a .gguf file',
  recognises: (path) =>
    path.toLowerCase().endsWith('.gguf') &&
    !statSync(path, { throwIfNoEntry: false })?.isDirectory(),
  open: openGguf,
  readConfig: (path) => ggufConfig(openGgufHeader(path)).config,
  findTokenizer: ggufTokenizerSource,
};
