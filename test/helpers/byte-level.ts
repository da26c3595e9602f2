import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes a tokenizer of bytes without merges into a checkpoint's folder.
 * @param tokens by id, in the letters that stand for bytes (byte-letters.ts).
 */
export function writeByteLevel(directory: string, tokens: readonly string[]): void {
  const tokenizer = {
    added_tokens: [],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [],
    },
  };
  writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify(tokenizer));
}
