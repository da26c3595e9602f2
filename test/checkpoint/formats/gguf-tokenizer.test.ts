import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { type GgufValue, readGgufHeader } from '../../../src/checkpoint/formats/gguf/header.js';
import { ggufTokenizer } from '../../../src/checkpoint/formats/gguf/tokenizer.js';
import { inspectTokenizer, loadTokenizer } from '../../../src/checkpoint/tokenizer.js';
import { hasShared, inputErrorOf, SHARED } from '../fixtures.js';

interface TokenizerJson {
  added_tokens: { id: number; content: string; special: boolean }[];
  model: { vocab: Record<string, number>; merges: (string | [string, string])[] };
}
interface Built {
  tokenizer: TokenizerJson;
  config: Record<string, unknown>;
}
type Metadata = Map<string, GgufValue>;

const build = (metadata: Metadata) => ggufTokenizer(metadata, 'x.gguf') as Built;
const libraryOf = (json: object) => new Tokenizer(json, {});
const idsOf = (library: Tokenizer, text: string) =>
  library.encode(text, { add_special_tokens: false }).ids;
const readJson = (path: string) => JSON.parse(readFileSync(join(SHARED, path), 'utf8'));

function metadataOf(fields: Record<string, GgufValue>): Metadata {
  return new Map(Object.entries(fields).map(([name, value]) => [`tokenizer.${name}`, value]));
}

const HOSTILE = [
  ' ',
  '  ',
  '   a',
  'a   ',
  'a  b   c    d',
  '\n',
  '\n\n\n',
  ' \n \n',
  'a\r\nb\r\n',
  '\t\tx = 1\n',
  '0',
  '12',
  '1234567890',
  '3.14159e-10',
  'x1y22z333',
  '٣٤٥ १२३',
  '½ ²³ Ⅻ ①',
  "I'm you're WE'LL don'T",
  'Hello, world!',
  ' Hello  World ',
  'naïve café',
  'cafe\u0301 n\u0303',
  'q\u0323\u0307',
  '日本語のテキスト',
  '你好,世界。',
  '한국어',
  '안녕',
  'Привет мир',
  'שלום עולם',
  'مرحبا',
  '🙂',
  '👩‍👩‍👧‍👦 🇩🇪',
  'a🙂b🙂c',
  '!!!???...',
  '<|notatoken|> </x>',
  '_▁_ Ġ Ċ',
  '\u00a0\u2003\u3000x',
  '\u200b\ufeffz',
  'for (let i = 0; i < n; i++) { a[i] = `i`; }',
  'https://example.org/?q=%20&x=1#y',
  '\u0000\u0007\u007f',
  'constructor __proto__ toString',
];

/** What llama.cpp's converter makes of a byte-level tokenizer.json. */
function byteLevelMetadata(json: TokenizerJson, pre: string): Metadata {
  const vocab = new Map(Object.entries(json.model.vocab));
  for (const { id, content } of json.added_tokens) vocab.set(content, id);
  const tokens: string[] = [];
  for (const [token, id] of vocab) tokens[id] = token;
  const types = tokens.map(() => 1);
  for (const { id, special } of json.added_tokens) types[id] = special ? 3 : 4;
  return metadataOf({
    'ggml.model': 'gpt2',
    'ggml.pre': pre,
    'ggml.tokens': tokens,
    'ggml.token_type': types,
    'ggml.merges': json.model.merges.map((merge) =>
      typeof merge === 'string' ? merge : merge.join(' '),
    ),
  });
}

describe.each([
  ['gpt2', 'gpt-2'],
  ['llama-3', 'llama-bpe'],
  ['qwen2.5', 'qwen2'],
])('the tokeniser of %s', (family, pre) => {
  const path = `tokenizers/${family}/tokenizer.json`;
  it.skipIf(!hasShared(path))('gives the ids of tokenizer.json', () => {
    const json: TokenizerJson = readJson(path);
    const original = libraryOf(json);
    const library = libraryOf(build(byteLevelMetadata(json, pre)).tokenizer);
    const special = json.added_tokens[0]!.content;
    for (const text of [...HOSTILE, `${special}a${special} b`, HOSTILE.join('')]) {
      const ids = idsOf(original, text);
      expect(idsOf(library, text), text).toEqual(ids);
      expect(library.decode(ids), text).toBe(original.decode(ids));
    }
  });
});

describe.each(['dbrx', 'smaug-bpe'])('a tokeniser that splits as %s', (pre) => {
  const path = 'tokenizers/llama-3/tokenizer.json';
  it.skipIf(!hasShared(path))('splits as Llama 3 does, and merges every word', () => {
    const json: TokenizerJson = readJson(path);
    const original = libraryOf({ ...json, model: { ...json.model, ignore_merges: false } });
    const { tokenizer, config } = build(byteLevelMetadata(json, pre));
    const library = libraryOf(tokenizer);
    for (const text of [...HOSTILE, HOSTILE.join('')])
      expect(idsOf(library, text), text).toEqual(idsOf(original, text));
    expect(config.add_bos_token).toBe(false);
  });
});

const LLAMA_2 = 'tokenizers/llama-2/tokenizer.json';
describe.skipIf(!hasShared(LLAMA_2))('the tokeniser of Llama 2', () => {
  it('gives the ids of tokenizer.json, its merges made from the scores', () => {
    const json: TokenizerJson = readJson(LLAMA_2);
    const tokens: string[] = [];
    for (const [token, id] of Object.entries(json.model.vocab)) tokens[id] = token;
    const typeOf = (id: number) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1);
    const { tokenizer } = build(
      metadataOf({
        'ggml.model': 'llama',
        'ggml.pre': 'default',
        'ggml.tokens': tokens,
        'ggml.token_type': tokens.map((_, id) => typeOf(id)),
        // Runs of spaces were put in after training, below all the rest.
        'ggml.scores': tokens.map((token, id) =>
          id < 259 ? 0 : /^▁+$/.test(token) ? -1e9 : 259 - id,
        ),
        'ggml.unknown_token_id': 0,
      }),
    );
    expect(tokenizer.model.merges).toHaveLength(json.model.merges.length);
    const original = libraryOf(json);
    const library = libraryOf(tokenizer);
    for (const text of [...HOSTILE, HOSTILE.join('')]) {
      const ids = idsOf(original, text);
      expect(idsOf(library, text), text).toEqual(ids);
      expect(library.decode(ids), text).toBe(original.decode(ids));
    }
  });
});

const MODEL = 'models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf';
describe.skipIf(!hasShared(MODEL))('the tokeniser in the file of SmolLM2', () => {
  const file = join(SHARED, MODEL);
  const tokenizer = loadTokenizer(file)!;

  it('gives the ids that the golden prompts were made of', () => {
    const { cases } = readJson(join(MODEL, '../golden_greedy.json')) as {
      cases: { prompt: number[] }[];
    };
    expect(cases.length).toBeGreaterThan(50);
    const others: string[] = [];
    for (const { prompt } of cases) {
      const text = tokenizer.decode(prompt, { skipSpecialTokens: false });
      const ids = tokenizer.encode(text);
      if (ids.join() !== prompt.join()) {
        expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(text);
        others.push(text);
      }
      // The file says add_bos_token: false, and the template writes the first token itself.
      const [, user] = /<\|im_start\|>user\n(.*)<\|im_end\|>\n<\|im_start\|>/s.exec(text)!;
      expect(tokenizer.encode(tokenizer.chat([{ role: 'user', content: user! }]))).toEqual(ids);
    }
    // Their maker split with GPT-2's pattern first: of spaces before a digit, it keeps the last one apart.
    expect(others).toHaveLength(2);
    for (const text of others) expect(text).toMatch(/\n {4}\d/);
  });

  it('has a chat template, which is known without building the tokeniser', () => {
    expect(tokenizer.hasChatTemplate).toBe(true);
    expect(inspectTokenizer(file)).toEqual({ hasChatTemplate: true });
  });

  it('gives back every text', () => {
    for (const text of HOSTILE) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it('names its tokens', () => {
    expect(build(new Map(readGgufHeader(file).metadata)).config).toMatchObject({
      bos_token: '<|im_start|>',
      eos_token: '<|im_end|>',
      unk_token: '<|endoftext|>',
      pad_token: '<|im_end|>',
      add_bos_token: false,
    });
  });
});

const BYTES = {
  'ggml.model': 'gpt2',
  'ggml.pre': 'smollm',
  'ggml.tokens': ['a', 'b', '1', 'Ġ', 'ab', 'Ġa', '<s>', '<tag>', '11'],
  'ggml.token_type': [1, 1, 1, 1, 1, 1, 3, 4, 1],
  'ggml.merges': ['a b', 'Ġ a', '1 1'],
  'ggml.bos_token_id': 6,
};

describe('ggufTokenizer', () => {
  it('makes byte-level BPE, digits one by one', () => {
    const { tokenizer, config } = build(metadataOf(BYTES));
    expect(idsOf(libraryOf(tokenizer), 'ab a11<s>b<tag>')).toEqual([4, 5, 2, 2, 6, 1, 7]);
    expect(tokenizer.added_tokens.map(({ id, special }) => [id, special])).toEqual([
      [6, true],
      [7, false],
    ]);
    expect(config).toMatchObject({ bos_token: '<s>', add_bos_token: false });
  });

  it.each([
    [{ 'ggml.model': 'bert' }, /tokenizer\.ggml\.model "bert" is not supported.*gpt2/],
    [{ 'ggml.pre': 'tekken' }, /tokenizer\.ggml\.pre "tekken" is not supported.*smollm/],
    [{ 'ggml.pre': 'default' }, /tokenizer\.ggml\.pre is "default".*safetensors/],
    [{ 'ggml.pre': 'constructor' }, /tokenizer\.ggml\.pre "constructor" is not supported/],
    [{ 'ggml.tokens': [1] }, /tokenizer\.ggml\.tokens/],
    [{ 'ggml.tokens': [] }, /tokenizer\.ggml\.tokens/],
    [{ 'ggml.token_type': [1] }, /tokenizer\.ggml\.token_type has 1 entries for 9 tokens/],
    [{ 'ggml.eos_token_id': 9 }, /tokenizer\.ggml\.eos_token_id 9 is not one of the 9 tokens/],
    [{ 'ggml.bos_token_id': -1 }, /tokenizer\.ggml\.bos_token_id/],
    [{ 'ggml.merges': ['ab'] }, /tokenizer\.ggml\.merges/],
    [{ 'ggml.model': 'llama' }, /tokenizer\.ggml\.scores is missing/],
    [{ 'ggml.model': 'llama', 'ggml.scores': [0] }, /tokenizer\.ggml\.scores has 1 entries/],
  ] as [Record<string, GgufValue>, RegExp][])('refuses %j', (change, message) => {
    const error = inputErrorOf(() => build(metadataOf({ ...BYTES, ...change })));
    expect(error).toMatch(/^x\.gguf: [^\n]*\.$/);
    expect(error).toMatch(message);
  });

  it('refuses byte-level BPE that does not say how it splits', () => {
    const { 'ggml.pre': _, ...unsaid } = BYTES;
    expect(inputErrorOf(() => build(metadataOf(unsaid)))).toMatch(
      /^x\.gguf: field tokenizer\.ggml\.pre is missing, .*\.$/,
    );
  });

  it('keeps digits of other scripts apart, too', () => {
    const arabic = { 'ggml.tokens': ['Ù', '£', 'Ù£', 'Ù£Ù£'], 'ggml.token_type': [1, 1, 1, 1] };
    const { tokenizer } = build(
      metadataOf({
        ...BYTES,
        ...arabic,
        'ggml.merges': ['Ù £', 'Ù£ Ù£'],
        'ggml.bos_token_id': 0,
      }),
    );
    expect(idsOf(libraryOf(tokenizer), '٣٣')).toEqual([2, 2]);
  });

  it('ends words before a capital letter where the family does', () => {
    const tokens = {
      'ggml.tokens': ['a', 'B', "'", 's', 'aB', "B'", "B's", '/', '!', '!/'],
      'ggml.token_type': Array.from({ length: 10 }, () => 1),
      'ggml.merges': ['a B', "B '", "B' s", '! /'],
      'ggml.bos_token_id': 0,
    };
    const idsAs = (pre: string) =>
      idsOf(
        libraryOf(build(metadataOf({ ...BYTES, ...tokens, 'ggml.pre': pre })).tokenizer),
        "aB's!/",
      );
    expect(idsAs('gpt-4o')).toEqual([0, 6, 9]);
    expect(idsAs('dbrx')).toEqual([4, 2, 3, 9]);
  });

  it('begins prompts with bos where the family does and the file does not say', () => {
    const bosOf = (change: Record<string, GgufValue>) =>
      build(metadataOf({ ...BYTES, 'ggml.pre': 'llama-bpe', ...change })).config.add_bos_token;
    expect(bosOf({})).toBe(true);
    expect(bosOf({ 'ggml.add_bos_token': false })).toBe(false);
    const { 'ggml.bos_token_id': _, ...nameless } = { ...BYTES, 'ggml.pre': 'llama-bpe' };
    expect(build(metadataOf(nameless)).config.add_bos_token).toBe(false);
  });

  it('makes SentencePiece BPE, the merges in the order of the scores', () => {
    const pieces = {
      'ggml.model': 'llama',
      'ggml.tokens': ['<unk>', '<s>', '<0xC3>', '<0xA9>', '▁', 'a', 'b', 'ab', '▁a', '▁ab'],
      'ggml.token_type': [2, 3, 6, 6, 1, 1, 1, 1, 1, 1],
      'ggml.scores': [0, 0, 0, 0, -9, -9, -9, -2, -1, -3],
      'ggml.bos_token_id': 1,
    };
    const { tokenizer, config } = build(metadataOf(pieces));
    expect(tokenizer.model.merges).toEqual([
      ['▁', 'a'],
      ['a', 'b'],
      ['▁', 'ab'],
      ['▁a', 'b'],
    ]);
    expect(config).toMatchObject({ bos_token: '<s>', unk_token: '<unk>', add_bos_token: true });
    const library = libraryOf(tokenizer);
    expect(idsOf(library, 'ab aé<s>')).toEqual([9, 8, 2, 3, 1]);
    expect(library.decode([9, 8, 2, 3])).toBe('ab aé');
    const bare = libraryOf(
      build(metadataOf({ ...pieces, 'ggml.add_space_prefix': false })).tokenizer,
    );
    expect(idsOf(bare, 'ab ab')).toEqual([7, 9]);
    expect(bare.decode([9, 7])).toBe(' abab');
  });
});
