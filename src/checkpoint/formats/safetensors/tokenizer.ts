import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile, readTextFile } from '../../../json-file.js';
import { type TokenizerSource, templateIn } from '../../tokenizer-source.js';

const MAX_TOKENIZER_BYTES = 1 << 28;
const MAX_CONFIG_BYTES = 1 << 24;

/** tokenizer.json of a folder, with tokenizer_config.json and chat_template.jinja where they exist; null when it has none. */
export function folderTokenizer(directory: string): TokenizerSource | null {
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
