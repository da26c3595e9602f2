import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseFields, readJsonFile, readTextFile } from '../json-file.js';
import { isGgufFile } from './gguf/is-gguf.js';
import { openGgufHeader } from './gguf/open-header.js';
import { ggufTokenizer, hasGgufTokenizer } from './gguf/tokenizer.js';

const MAX_TOKENIZER_BYTES = 1 << 28;
const MAX_CONFIG_BYTES = 1 << 24;

const templateSchema = z.looseObject({
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
});

/** Where a model's tokenizer comes from; nothing of it is checked but what is asked for. */
export interface TokenizerSource {
  /** Where the tokenizer and its configuration stand, for errors. */
  readonly file: string;
  readonly configFile: string;
  /** Contents of tokenizer.json and tokenizer_config.json, or the same made from a GGUF file, which takes a while. */
  read(): { readonly json: unknown; readonly configJson: unknown };
  /**
   * The chat template, and the file that it stands in: chat_template.jinja goes before the one in tokenizer_config.json, as in
   * transformers.
   */
  template(): { readonly text: string; readonly file: string } | undefined;
}

/**
 * Finds a model's tokenizer: tokenizer.json, with tokenizer_config.json and chat_template.jinja where they exist; or what a GGUF
 * file's metadata have in their place.
 * @param path what `resolveModel` gives
 * @returns null when the model has none
 */
export function findTokenizer(path: string): TokenizerSource | null {
  return isGgufFile(path) ? inGguf(path) : inFolder(path);
}

function inFolder(directory: string): TokenizerSource | null {
  const file = join(directory, 'tokenizer.json');
  if (!existsSync(file)) return null;
  const configFile = join(directory, 'tokenizer_config.json');
  const configJson = readJsonFile(configFile, MAX_CONFIG_BYTES) ?? {};
  const templateFile = join(directory, 'chat_template.jinja');
  return {
    file,
    configFile,
    read: () => ({ json: readJsonFile(file, MAX_TOKENIZER_BYTES), configJson }),
    template: () => {
      const text = readTextFile(templateFile, MAX_CONFIG_BYTES);
      if (text !== undefined) return { text, file: templateFile };
      return templateIn(configJson, configFile);
    },
  };
}

function inGguf(file: string): TokenizerSource | null {
  const { metadata } = openGgufHeader(file);
  if (!hasGgufTokenizer(metadata)) return null;
  // Not `metadata`, which would live as long as the tokenizer.
  const configJson = { chat_template: metadata.get('tokenizer.chat_template') };
  return {
    file,
    configFile: file,
    read: () => {
      const { tokenizer, config } = ggufTokenizer(openGgufHeader(file).metadata, file);
      return { json: tokenizer, configJson: config };
    },
    template: () => templateIn(configJson, file),
  };
}

function templateIn(configJson: unknown, file: string): { text: string; file: string } | undefined {
  const { chat_template: stored } = parseFields(templateSchema, configJson, file);
  const text = Array.isArray(stored)
    ? stored.find(({ name }) => name === 'default')?.template
    : stored;
  return text == null ? undefined : { text, file };
}
