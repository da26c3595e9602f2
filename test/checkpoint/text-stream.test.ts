import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTextStream } from '../../src/checkpoint/text-stream.js';
import { loadTokenizer, type TextTokenizer } from '../../src/checkpoint/tokenizer.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { hasShared, SHARED, writeFolder } from './fixtures.js';

/** A byte-level tokenizer of 256 one-byte tokens, a special (256) and a plain added token (257). */
function byteLevel(): TextTokenizer {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let shifted = 256;
  const letters = Array.from({ length: 256 }, (_, b) =>
    String.fromCharCode(printable(b) ? b : shifted++),
  );
  return load({
    added_tokens: [
      { id: 256, content: '<s>', special: true },
      { id: 257, content: '<tag>' },
    ],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(letters.map((letter, b) => [letter, b])),
      merges: [],
    },
  });
}

/** A SentencePiece tokenizer: 256 bytes as fallback, a special, and words with and without a leading space. */
function sentencePiece(): TextTokenizer {
  const bytes = Array.from(
    { length: 256 },
    (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const words = ['<s>', '▁', '▁▁', '▁a', 'b', '世', '\uFFFD', '▁é'];
  return load({
    added_tokens: [{ id: 256, content: '<s>', special: true }],
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries([...bytes, ...words].map((token, id) => [token, id])),
      merges: [],
      byte_fallback: true,
    },
  });
}

function load(tokenizer: object): TextTokenizer {
  const loaded = loadTokenizer(writeFolder(temporaryDirectory(), { 'tokenizer.json': tokenizer }));
  if (loaded === null) throw new Error('no tokenizer');
  return loaded;
}

/** Streams ids; checks after each that all text so far is a prefix of every later decoding. */
function expectFaithful(tokenizer: TextTokenizer, ids: readonly number[]): void {
  const stream = createTextStream(tokenizer);
  const whole = tokenizer.decode(ids);
  let sofar = '';
  for (const id of ids) {
    sofar += stream.push(id);
    if (!whole.startsWith(sofar))
      expect.fail(`gave out ${JSON.stringify(sofar)} of ${JSON.stringify(whole)}`);
  }
  expect(whole.length - sofar.length).toBeLessThanOrEqual(1);
  expect(sofar + stream.end()).toBe(whole);
}

const MULTIBYTE = fc.string({ unit: 'grapheme', maxLength: 80 });
const bytesOf = (text: string) => [...new TextEncoder().encode(text)];

describe('createTextStream', () => {
  it('gives each token its text at once, and characters when they are whole', () => {
    const stream = createTextStream(byteLevel());
    expect([...bytesOf('aé🙂b')].map((id) => stream.push(id))).toEqual([
      'a',
      '',
      'é',
      '',
      '',
      '',
      '🙂',
      'b',
    ]);
    expect(stream.end()).toBe('');
    expect([stream.push(0xf0), stream.push(0x9f), stream.end()]).toEqual(['', '', '\uFFFD']);
    expect([stream.push(0xf0), stream.push(256), stream.push(0x41)]).toEqual(['', '', '\uFFFDA']);
  });

  it('keeps spaces that only the first word of a text loses', () => {
    const tokenizer = sentencePiece();
    const stream = createTextStream(tokenizer);
    expect([259, 259, 256, 259, 257, 260].map((id) => stream.push(id))).toEqual([
      'a',
      ' a',
      '',
      ' a',
      ' ',
      'b',
    ]);
  });

  it('does not take tokens without text for the beginning of the text', () => {
    const texts = [' a', '', 'b'];
    const decode = (ids: readonly number[]) =>
      ids
        .map((id) => texts[id])
        .join('')
        .replace(/^ /, '');
    const stream = createTextStream({ decode, isSpecial: () => false });
    const ids = [0, 2, ...new Array<number>(40).fill(1), 0];
    expect(ids.map((id) => stream.push(id)).join('')).toBe('ab a');
  });

  it('never restarts inside a character, however many tokens it takes', () => {
    // Character X is a 0 and forty 1s; anything less is a replacement character, and so is a 1 on its own.
    const decode = (ids: readonly number[]) =>
      ids.join('').replaceAll(/01{0,40}|1/g, (part) => (part.length === 41 ? 'X' : '\uFFFD'));
    const stream = createTextStream({ decode, isSpecial: () => false });
    const ids = [0, ...new Array<number>(40).fill(1)];
    expect(ids.map((id) => stream.push(id)).join('')).toBe('X');
  });

  it('decodes windows of bounded length, whatever comes', () => {
    for (const [tokenizer, length, ids] of [
      [byteLevel(), 34, () => 0x61],
      [byteLevel(), 34, () => 0x80],
      [byteLevel(), 36, (i: number) => [0xf0, 0x9f, 0x99, 0x82][i % 4]],
      [byteLevel(), 34, () => 256],
      [sentencePiece(), 34, () => 259],
      [sentencePiece(), 34, () => 257],
      [sentencePiece(), 36, (i: number) => [0xe4, 0xb8, 0x96][i % 3]],
    ] as const) {
      let longest = 0;
      const decode: TextTokenizer['decode'] = (window) => {
        longest = Math.max(longest, window.length);
        return tokenizer.decode(window);
      };
      const stream = createTextStream({ decode, isSpecial: tokenizer.isSpecial });
      for (let i = 0; i < 400; i++) stream.push(ids(i));
      expect(longest).toBeLessThanOrEqual(length);
    }
  });

  const tokenizers = [
    ['byte-level', byteLevel(), 258],
    ['SentencePiece', sentencePiece(), 264],
  ] as const;
  it.each(tokenizers)('adds up to the whole decoding: %s, random ids', (_, tokenizer, size) => {
    const id = fc.oneof(
      fc.nat(size - 1),
      fc.integer({ min: size - 8, max: size - 1 }),
      fc.constantFrom(0x80, 0xe2, 0xef, 0xbb, 0xbf, 0xf0, 0x9f),
    );
    fc.assert(
      fc.property(fc.array(id, { maxLength: 150 }), (ids) => expectFaithful(tokenizer, ids)),
      { numRuns: 300 },
    );
  });

  it.each(tokenizers)('adds up to the whole decoding: %s, bytes of text', (_, tokenizer) => {
    fc.assert(
      fc.property(MULTIBYTE, (text) => {
        expect(tokenizer.decode(bytesOf(text)).trimStart()).toBe(
          text.replace(/^\uFEFF/, '').trimStart(),
        );
        expectFaithful(tokenizer, bytesOf(text));
      }),
      { numRuns: 100 },
    );
  });
});

describe.skipIf(!hasShared('models'))('real tokenizers', () => {
  it.each([
    ['models/starter-10m', 4096],
    ['models/tinystories-656k', 2048],
    ['tokenizers/llama-2', 32000],
  ])('%s: random ids and multi-byte texts', (path, size) => {
    const tokenizer = loadTokenizer(join(SHARED, path));
    if (tokenizer === null) throw new Error('no tokenizer');
    const low = fc.array(fc.nat(259), { maxLength: 80 });
    const any = fc.array(fc.nat(size - 1), { maxLength: 80 });
    const texts = fc.array(
      fc.oneof(MULTIBYTE, fc.constantFrom(' the cat', '世界', '🙂👩‍👩‍👧', '  ', '\n')),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(low, (ids) => expectFaithful(tokenizer, ids)),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(any, (ids) => expectFaithful(tokenizer, ids)),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(texts, (parts) => expectFaithful(tokenizer, tokenizer.encode(parts.join('')))),
      { numRuns: 60 },
    );
  });
});
