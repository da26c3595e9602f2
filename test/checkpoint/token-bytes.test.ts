import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { spellingBytes } from '../../src/checkpoint/token-bytes.js';
import { loadTokenizer } from '../../src/checkpoint/tokenizer.js';
import { byteTokenizer } from '../helpers/byte-tokenizer.js';
import { hasShared, SHARED } from './fixtures.js';

const TEXT = 'Añb ½ \n\t "日本語" 🙂👩‍👩‍👧 \u0000\u007f\u00a0\u00ad end  ';

describe('the bytes of tokens', () => {
  it('are those of parts of characters', () => {
    const { bytes } = byteTokenizer();
    // Two halves of é, three parts of a smile, and whole ones.
    expect(Buffer.concat([0, 8, 9, 10, 11, 12, 5, 14, 7].map(bytes)).toString()).toBe('aé🙂é🙂\n');
    expect([...bytes(9)]).toEqual([0xa9]);
    expect(bytes(99)).toHaveLength(0);
  });

  it('are told by a decoder that names others without being a sequence, and by a sequence of none', () => {
    const fallback = spellingBytes({ type: 'ByteFallback', decoders: [null] });
    expect([...fallback('<0xE2>')]).toEqual([0xe2]);
    expect(`${spellingBytes({ type: 'Sequence', decoders: [null] })('a')}`).toBe(
      `${Buffer.from('a')}`,
    );
  });

  it.skipIf(!hasShared).each([
    ...[['gpt2', ''] as const, ['qwen2.5', ''] as const, ['llama-3', ''] as const],
    // SentencePiece begins every text with a space.
    ['llama-2', ' '] as const,
  ])('put together are the text, with the tokenizer of %s', (name, before) => {
    const { bytes, encode } = loadTokenizer(join(SHARED, 'tokenizers', name))!;
    expect(Buffer.concat(encode(TEXT).map(bytes)).toString()).toBe(before + TEXT);
  });

  it.skipIf(!hasShared)('of added tokens are those of their names', () => {
    const { bytes, encode } = loadTokenizer(join(SHARED, 'tokenizers', 'llama-2'))!;
    expect(Buffer.from(bytes(2)).toString()).toBe('</s>');
    expect(encode('</s>')).toContain(2);
  });
});
