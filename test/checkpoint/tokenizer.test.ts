import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadTokenizer, type TextTokenizer } from '../../src/checkpoint/tokenizer.js';
import { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { hasShared, SHARED, writeFolder } from './fixtures.js';

/** Bytes 0 to 255 as the characters that byte-level BPE writes them with, for the printable range used here. */
const LETTERS = ['a', 'b', 'c', 'Ġ', 'Ã', '©', 'ab'];
const BYTE_LEVEL = {
  added_tokens: [
    { id: 7, content: '<s>', special: true },
    { id: 8, content: '</s>', special: true },
    { id: 9, content: '<tag>', special: false },
  ],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  post_processor: null as object | null,
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(LETTERS.map((letter, id) => [letter, id])),
    merges: ['a b'],
  },
};
const ADDS_BOS = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [],
  special_tokens: { '<s>': { id: '<s>', ids: [7], tokens: ['<s>'] } },
};

function load(
  files: Record<string, object | string> = {},
  tokenizer: object = BYTE_LEVEL,
): TextTokenizer {
  const folder = writeFolder(temporaryDirectory(), { 'tokenizer.json': tokenizer, ...files });
  const loaded = loadTokenizer(folder);
  if (loaded === null) throw new Error('no tokenizer');
  return loaded;
}

describe('loadTokenizer', () => {
  it('gives null without tokenizer.json and an InputError for a broken one', () => {
    expect(loadTokenizer(temporaryDirectory())).toBeNull();
    expect(() => load({}, { added_tokens: [] })).toThrow(/tokenizer\.json: field "model"/);
    expect(() => load({}, { ...BYTE_LEVEL, decoder: { type: 'Mystery' } })).toThrow(
      /cannot be used: Unknown Decoder/,
    );
    const none = { type: 'Sequence', decoders: [null] };
    expect(() => load({}, { ...BYTE_LEVEL, decoder: none })).toThrow(
      /tokenizer\.json: field "decoder\.decoders/,
    );
    expect(() => load({ 'tokenizer_config.json': '{' })).toThrow(InputError);
    const config = { add_bos_token: true, bos_token: '<none>' };
    expect(() => load({ 'tokenizer_config.json': config })).toThrow(/bos_token is not a token/);
  });

  it('encodes and decodes, without special tokens and ids that have no token', () => {
    const { encode, decode, isSpecial } = load();
    expect(encode('ab c')).toEqual([6, 3, 2]);
    expect(encode('ab<s>é<tag>')).toEqual([6, 7, 4, 5, 9]);
    expect(decode([7, 6, 4, 5, 9, 8, 4000])).toBe('abé<tag>');
    expect(decode([7, 6, 8, 4000], { skipSpecialTokens: false })).toBe('<s>ab</s>');
    expect(decode([])).toBe('');
    expect(decode([7])).toBe('');
    expect([6, 7, 9, 4000].map(isSpecial)).toEqual([false, true, false, true]);
  });

  it('ends patterns that would not, while encoding and while decoding', () => {
    const endless = { Regex: '(a+)+$' };
    const split = { type: 'Split', pattern: endless, behavior: 'Isolated', invert: false };
    const { encode } = load({}, { ...BYTE_LEVEL, pre_tokenizer: split });
    expect(() => encode(`${'a'.repeat(40)}!`)).toThrow(
      /tokenizer\.json: its patterns take longer than [\d.]+ s for 41 characters/,
    );
    const replace = { type: 'Replace', pattern: endless, content: 'x' };
    const decoders = [{ type: 'Fuse' }, replace];
    const { decode } = load({}, { ...BYTE_LEVEL, decoder: { type: 'Sequence', decoders } });
    expect(() => decode([...Array.from({ length: 40 }, () => 0), 1])).toThrow(/take longer than/);
  });

  it('tells of rules that the library trips over', () => {
    const merges = { ...BYTE_LEVEL, model: { ...BYTE_LEVEL.model, merges: [3] } };
    expect(() => load({}, merges)).toThrow(/tokenizer\.json: this tokenizer cannot be used/);
  });

  it('keeps the spaces of decoded text', () => {
    const punctuation = {
      ...BYTE_LEVEL,
      model: { type: 'BPE', vocab: { a: 0, Ġ: 1, '.': 2 }, merges: [] },
    };
    expect(load({}, punctuation).decode([0, 1, 2])).toBe('a .');
  });
});

describe('encodePrompt', () => {
  const processed = { ...BYTE_LEVEL, post_processor: ADDS_BOS };
  const config = (fields: object) => ({ 'tokenizer_config.json': { bos_token: '<s>', ...fields } });

  it.each<[string, object, object | null, number[]]>([
    ['no rule', BYTE_LEVEL, null, [6]],
    ['a bos token alone', BYTE_LEVEL, {}, [6]],
    ['add_bos_token', BYTE_LEVEL, { add_bos_token: true }, [7, 6]],
    [
      'a bos token as object',
      BYTE_LEVEL,
      { add_bos_token: true, bos_token: { content: '</s>' } },
      [8, 6],
    ],
    ['the post-processor', processed, null, [7, 6]],
    ['both', processed, { add_bos_token: true }, [7, 6]],
    ['add_bos_token false over the post-processor', processed, { add_bos_token: false }, [6]],
  ])('follows %s', (_, tokenizer, fields, expected) => {
    expect(load(fields === null ? {} : config(fields), tokenizer).encodePrompt('ab')).toEqual(
      expected,
    );
  });

  it('has bos once when the text begins with it, and for an empty prompt', () => {
    for (const tokenizer of [load(config({ add_bos_token: true })), load({}, processed)]) {
      expect(tokenizer.encodePrompt('<s>ab')).toEqual([7, 6]);
      expect(tokenizer.encodePrompt('')).toEqual([7]);
    }
    expect(load({}, processed).encode('<s>ab')).toEqual([7, 6]);
    expect(load({}, processed).encode('ab', { addSpecialTokens: true })).toEqual([7, 6]);
  });
});

interface Family {
  readonly folder: string;
  readonly ggml: string;
  readonly multilingual?: string;
}
const FAMILIES: readonly Family[] = [
  { folder: 'gpt2', ggml: 'gpt-2', multilingual: 'gpt2' },
  { folder: 'llama-2', ggml: 'llama-spm', multilingual: 'tinyllama' },
  { folder: 'llama-3', ggml: 'llama-bpe' },
  { folder: 'qwen2.5', ggml: 'qwen2', multilingual: 'qwen2_5' },
];
const inputsSchema = z.array(z.object({ id: z.string(), text: z.string() }));
const vectorsSchema = z.object({
  entries: z.array(
    z.object({ id: z.string(), input_ids: z.array(z.int()), decoded_skip_special: z.string() }),
  ),
});
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

// No vector fails: all 47 of llama.cpp's for each of four families and all 83 multilingual ones for three agree.
describe.skipIf(!hasShared('tokenizers'))('vectors of real tokenizers', () => {
  const root = join(SHARED, 'tokenizers');

  it.each(FAMILIES)('$folder', ({ folder, ggml, multilingual }) => {
    const tokenizer = loadTokenizer(join(root, folder));
    if (tokenizer === null) throw new Error('no tokenizer');
    const texts = readFileSync(join(root, 'vectors-ggml', `${ggml}.inp`), 'utf8').split(
      '\n__ggml_vocab_test__\n',
    );
    const lines = readFileSync(join(root, 'vectors-ggml', `${ggml}.out`), 'utf8').split('\n');
    expect(texts).toHaveLength(47);
    expect(texts.map((text) => tokenizer.encode(text).join(' '))).toEqual(
      lines.map((line) => line.trim()),
    );
    expect(texts.map((text) => tokenizer.decode(tokenizer.encode(text)))).toEqual(texts);
    if (multilingual === undefined) return;

    const inputs = inputsSchema.parse(readJson(join(root, 'vectors-multilingual/inputs.json')));
    const file = join(root, 'vectors-multilingual', `${multilingual}_multilingual.json`);
    const vectors = new Map(
      vectorsSchema.parse(readJson(file)).entries.map((entry) => [entry.id, entry]),
    );
    expect(inputs).toHaveLength(83);
    for (const { id, text } of inputs) {
      expect(tokenizer.encodePrompt(text), id).toEqual(vectors.get(id)?.input_ids);
      expect(tokenizer.decode(vectors.get(id)?.input_ids ?? []), id).toBe(
        vectors.get(id)?.decoded_skip_special,
      );
    }
  });
});

describe.skipIf(!hasShared('models'))('real checkpoints', () => {
  it('tinystories-656k: the golden prompt', () => {
    const folder = join(SHARED, 'models/tinystories-656k');
    const golden = z
      .object({ prompt: z.string(), prompt_ids: z.array(z.int()) })
      .parse(readJson(join(folder, 'golden_greedy.json')));
    expect(loadTokenizer(folder)?.encodePrompt(golden.prompt)).toEqual(golden.prompt_ids);
  });

  it('starter-10m: add_bos_token makes prompts begin with <|endoftext|>', () => {
    const folder = join(SHARED, 'models/starter-10m');
    const config = z.looseObject({}).parse(readJson(join(folder, 'tokenizer_config.json')));
    const tokenizer = load(
      { 'tokenizer_config.json': { ...config, add_bos_token: true } },
      z.looseObject({}).parse(readJson(join(folder, 'tokenizer.json'))),
    );
    const bare = tokenizer.encode('Once upon a time');
    expect(tokenizer.encodePrompt('Once upon a time')).toEqual([0, ...bare]);
    expect(tokenizer.encodePrompt('<|endoftext|>Once upon a time')).toEqual([0, ...bare]);
  });
});
