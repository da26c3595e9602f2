import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tell } from '../../src/cli/tell.js';

function told(text: string, terminal: { isTTY?: boolean; columns?: number }): string {
  const stream = Object.assign(new PassThrough(), terminal);
  tell('Note', text, stream);
  return stripVTControlCharacters(String(stream.read()));
}

const sentence =
  'The machine is busy: other processes take 40% of its CPU, and timings are not valid.';

test('elsewhere than on a terminal a sentence is one line', () => {
  expect(told(sentence, {})).toBe(`Note: ${sentence}\n`);
});

test('on a terminal lines end between words', () => {
  expect(told(sentence, { isTTY: true, columns: 50 })).toBe(
    'Note: The machine is busy: other processes take\n40% of its CPU, and timings are not valid.\n',
  );
});

test('line ends of the text stay', () => {
  expect(told('one\n  two\n\nthree', { isTTY: true, columns: 50 })).toBe(
    'Note: one\n  two\n\nthree\n',
  );
});

test('no line is too wide, and no word is lost', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,33}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 40, max: 100 }), (list, columns) => {
      const text = told(list.join(' '), { isTTY: true, columns });
      expect(text.trim().split(/\s+/).slice(1)).toEqual(list);
      for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    }),
  );
});
