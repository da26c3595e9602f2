import { statSync } from 'node:fs';
import type { Format } from '../format.js';
import { ggufConfig } from './config.js';
import { openGguf } from './open.js';
import { openGgufHeader } from './open-header.js';
import { ggufTokenizerSource } from './tokenizer-source.js';

const isCheckpoint = (name: string) => name.toLowerCase().endsWith('.gguf');

/** One file of llama.cpp's, configuration and tokenizer in its metadata. */
export const gguf: Format = {
  name: 'GGUF',
  given: 'a .gguf file',
  file: { isCheckpoint, isPart: (name) => /-\d{5}-of-\d{5}\.gguf$/i.test(name) },
  recognises: (path) =>
    isCheckpoint(path) && !statSync(path, { throwIfNoEntry: false })?.isDirectory(),
  open: openGguf,
  readConfig: (path) => ggufConfig(openGgufHeader(path)).config,
  findTokenizer: ggufTokenizerSource,
};
