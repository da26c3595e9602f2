import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Format } from '../format.js';
import { readFolderConfig } from './config.js';
import { openSafetensors } from './open.js';
import { folderTokenizer } from './tokenizer.js';

/** A folder in the Hugging Face layout: config.json, safetensors, tokenizer.json. */
export const safetensors: Format = {
  name: 'safetensors',
  given: 'a folder with config.json and model.safetensors',
  file: null,
  recognises: (path) => existsSync(join(path, 'config.json')),
  open: openSafetensors,
  readConfig: readFolderConfig,
  findTokenizer: folderTokenizer,
};
