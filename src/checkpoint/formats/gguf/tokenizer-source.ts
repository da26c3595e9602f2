import { type TokenizerSource, templateIn } from '../../tokenizer-source.js';
import { openGgufHeader } from './open-header.js';
import { ggufTokenizer, hasGgufTokenizer } from './tokenizer.js';

/** The tokenizer in a GGUF file's metadata; null when it has none. */
export function ggufTokenizerSource(file: string): TokenizerSource | null {
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
