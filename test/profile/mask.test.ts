import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { bitsToMask, maskToBits, parseLayerList } from '../../src/profile/mask.js';

const bits = fc
  .array(fc.constantFrom(0, 1), { maxLength: 200 })
  .map((half) => Uint8Array.from([...half, ...half.toReversed()]));

test('bit 2l is the attention of layer l, bit 2l + 1 its MLP', () => {
  expect([...maskToBits({ attention: [1], mlp: [0, 2] }, 3)]).toEqual([0, 1, 1, 0, 0, 1]);
});

test('bits -> mask -> bits is the identity', () => {
  fc.assert(
    fc.property(bits, (b) => {
      expect(maskToBits(bitsToMask(b), b.length / 2)).toEqual(b);
    }),
  );
});

test('a layer list reads back from any spelling of it', () => {
  const range = fc.tuple(fc.nat(79), fc.nat(79)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
  fc.assert(
    fc.property(fc.array(range), (ranges) => {
      const text = ranges.map(([a, b]) => (a === b ? `${a}` : ` ${a}-${b} `)).join(',');
      const expected = Array.from({ length: 80 }, (_, l) => l).filter((l) =>
        ranges.some(([a, b]) => a <= l && l <= b),
      );
      expect(parseLayerList(text, 80, '--skip-mlp')).toEqual(expected);
    }),
  );
});

test('3,5-7 on twelve layers', () => {
  expect(parseLayerList('3,5-7', 12, '--skip-mlp')).toEqual([3, 5, 6, 7]);
  expect(parseLayerList('', 12, '--skip-mlp')).toEqual([]);
});

test.each([
  ['12', /there is no layer 12; .* 12 layers are numbered 0 to 11/],
  ['3-99999999999', /there is no layer 99999999999/],
  ['7-5', /write 5-7/],
  ['3,,4', /"" is not a layer/],
  ['-3', /"-3" is not/],
  ['1.5', /"1.5" is not/],
  ['a', /"a" is not/],
])('refuses %s', (text, message) => {
  const parse = () => parseLayerList(text, 12, '--skip-attention');
  expect(parse).toThrow(InputError);
  expect(parse).toThrow(message);
  expect(parse).toThrow(/^--skip-attention: /);
});
