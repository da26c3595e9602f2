import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { GgufValue } from '../../src/checkpoint/gguf/header.js';
import { ggufTokenizer } from '../../src/checkpoint/gguf/tokenizer.js';

const shared = join(import.meta.dirname, '../../../shared/tokenizers');
const families = { gpt2: 'gpt-2', 'llama-3': 'llama-bpe', 'qwen2.5': 'qwen2' } as const;
if (!existsSync(shared)) console.warn('Skipped: no ../shared/tokenizers.');

const schema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean() })),
  model: z.looseObject({
    vocab: z.record(z.string(), z.int()),
    merges: z.array(z.union([z.string(), z.array(z.string())])),
  }),
});

const texts = [
  ...[
    '',
    ' ',
    '  two  spaces ',
    'Hello, world!',
    "I'm, you'RE, it's, they'd've",
    '3.14159 and 1234567',
  ],
  ...[
    'a\nb\r\n\n  c\t\td',
    '   \n  x',
    'naïve café',
    'e\u0301 combining',
    '日本語のテキスト',
    '한국어 문장',
  ],
  ...[
    '👩‍👩‍👧 family',
    'def f(x):\n    return x ** 2\n',
    '<|endoftext|>',
    '####___---',
    '٣٤٥ १२३',
    'ﬁ Å',
  ],
];

const metadata = (entries: Record<string, GgufValue>) => new Map(Object.entries(entries));

describe('the tokeniser of a GGUF file', () => {
  it.skipIf(!existsSync(shared)).each(Object.entries(families))(
    '%s gives the ids of its tokenizer.json',
    (folder, pre) => {
      const file = join(shared, folder, 'tokenizer.json');
      const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
      const { added_tokens: added, model } = schema.parse(json);
      const tokens: string[] = [];
      const types: number[] = [];
      for (const [token, id] of Object.entries(model.vocab)) tokens[id] = token;
      for (const { id, content, special } of added) {
        tokens[id] = content;
        types[id] = special ? 3 : 4;
      }
      for (let id = 0; id < tokens.length; id++) {
        tokens[id] ??= `<unused ${id}>`;
        types[id] ??= 1;
      }
      const made = ggufTokenizer(
        metadata({
          'tokenizer.ggml.model': 'gpt2',
          'tokenizer.ggml.pre': pre,
          'tokenizer.ggml.tokens': tokens,
          'tokenizer.ggml.token_type': types,
          'tokenizer.ggml.merges': model.merges.map((merge) => [merge].flat().join(' ')),
        }),
        'test.gguf',
      );
      const ours = new Tokenizer(z.looseObject({}).parse(made?.tokenizer), {});
      const theirs = new Tokenizer(z.looseObject({}).parse(json), {});
      for (const text of texts) {
        const { ids } = theirs.encode(text, { add_special_tokens: false });
        expect(ours.encode(text, { add_special_tokens: false }).ids, text).toEqual(ids);
      }
    },
    60_000,
  );

  const small = {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.tokens': ['a', 'b', 'ab', '<s>'],
    'tokenizer.ggml.token_type': [1, 1, 1, 3],
    'tokenizer.ggml.merges': ['a b'],
    'tokenizer.ggml.bos_token_id': 3,
  };

  it('merges, and finds special tokens', () => {
    const made = ggufTokenizer(metadata(small), 'test.gguf');
    const tokenizer = new Tokenizer(z.looseObject({}).parse(made?.tokenizer), {});
    expect(tokenizer.encode('<s>abba').ids).toEqual([3, 2, 1, 0]);
    expect(made?.config).toMatchObject({ bos_token: '<s>', add_bos_token: false });
  });

  it('is none where the file has none', () => {
    expect(ggufTokenizer(new Map(), 'test.gguf')).toBeNull();
  });

  it.each([
    [{ 'tokenizer.ggml.model': 'llama' }, /test\.gguf: tokenizer\.ggml\.model "llama"/],
    [{ 'tokenizer.ggml.pre': 'constructor' }, /tokenizer\.ggml\.pre "constructor"/],
    [{ 'tokenizer.ggml.token_type': [1] }, /token_type has 1 entries for 4 tokens/],
    [{ 'tokenizer.ggml.bos_token_id': 4 }, /bos_token_id 4 is not one of the 4 tokens/],
    [{ 'tokenizer.ggml.tokens': ['a', 1] }, /test\.gguf: .*tokenizer\.ggml\.tokens/],
  ])('refuses %j', (change: Record<string, GgufValue>, message) => {
    expect(() => ggufTokenizer(metadata({ ...small, ...change }), 'test.gguf')).toThrow(message);
  });
});
