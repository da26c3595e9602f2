import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import { parseProfile } from '../../src/profile/profile.js';
import type { Profile } from '../../src/profile/schema.js';
import { exampleProfile } from './example.js';

const draft_weights = { file: 'p.01234567.safetensors', sha256: 'a'.repeat(64) };
/** Skips attention 3 and 5 and MLP 4: single sublayers; and with MLP 3, the run 6 .. 8. */
const base: Profile = {
  ...exampleProfile,
  version: 2,
  skip_attention: [3, 5],
  skip_mlp: [3, 5],
  bridges: [
    { from: 6, to: 8 },
    { from: 10, to: 12 },
  ],
  head_words: 4096,
  draft_weights,
};
const parse = (changes: object) => parseProfile(JSON.stringify({ ...base, ...changes }), 'p.json');

describe('version 2 of profiles', () => {
  it.each<[string, object]>([
    ['bridges and a head', {}],
    ['bridges', { head_words: undefined }],
    ['one run of two', { bridges: [{ from: 10, to: 12 }] }],
    ['a head', { bridges: undefined }],
    ['no bridge', { bridges: [] }],
    ['neither', { bridges: undefined, head_words: undefined, draft_weights: undefined }],
  ])('may have %s', (_, changes) => {
    expect(parse(changes)).toEqual(JSON.parse(JSON.stringify({ ...base, ...changes })));
  });

  it.each<[string, object, RegExp]>([
    ['bridges in version 1', { version: 1 }, /version/],
    ['a memory', { bridges: [{ from: 6, to: 8, memory: true }] }, /version.*3/],
    ['bridges without weights', { draft_weights: undefined }, /draft_weights/],
    ['weights alone', { bridges: undefined, head_words: undefined }, /draft_weights/],
    ['a bridge over a part of a run', { bridges: [{ from: 6, to: 7 }] }, /bridges\D+0/],
    ['a bridge over more than a run', { bridges: [{ from: 6, to: 9 }] }, /bridges\D+0/],
    ['a bridge over what runs', { bridges: [{ from: 0, to: 2 }] }, /bridges\D+0/],
    ['an empty bridge', { bridges: [{ from: 6, to: 6 }] }, /bridges\D+0/],
    ['bridges that fall', { bridges: [...base.bridges!].reverse() }, /bridges\D+1/],
    ['a bridge twice', { bridges: [base.bridges![0], base.bridges![0]] }, /bridges\D+1/],
    ['no word', { head_words: 0 }, /head_words/],
    ['more words than there are', { head_words: 32001 }, /head_words.*32000/],
    ['a folder', { draft_weights: { ...draft_weights, file: 'a/b' } }, /draft_weights/],
    ['a folder of Windows', { draft_weights: { ...draft_weights, file: 'a\\b' } }, /draft_weights/],
    ['the folder above', { draft_weights: { ...draft_weights, file: '..' } }, /draft_weights/],
    ['the folder itself', { draft_weights: { ...draft_weights, file: '.' } }, /draft_weights/],
    ['no file name', { draft_weights: { ...draft_weights, file: '' } }, /draft_weights/],
    ['a hash cut off', { draft_weights: { ...draft_weights, sha256: 'ab' } }, /draft_weights/],
  ])('may not have %s', (_, changes, message) => {
    expect(() => parse(changes)).toThrow(InputError);
    expect(() => parse(changes)).toThrow(/p\.json/);
    expect(() => parse(changes)).toThrow(message);
  });
});

it('version 3 may have bridges with a memory, and without', () => {
  const bridges = [
    { from: 6, to: 8, memory: true },
    { from: 10, to: 12, memory: false },
  ];
  expect(parse({ version: 3, bridges }).bridges).toEqual(bridges);
  expect(parse({ version: 3 }).bridges).toEqual(base.bridges);
});
