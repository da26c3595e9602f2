import { expect, test } from 'vitest';
import { toCsv } from '../../src/reporting/csv.js';

test('one column per key of any row, missing values empty', () => {
  expect(
    toCsv([
      { a: 1, b: null },
      { a: 0.25, c: 'x' },
    ]),
  ).toBe('a,b,c\n1,,\n0.25,,x\n');
  expect(toCsv([])).toBe('');
});

test('text that needs quotes, lists as JSON, booleans as words', () => {
  const rows = [{ 'a.b': 'say "hi",\nthen go', list: [1.1, 1.2], yes: true, no: false }];
  expect(toCsv(rows)).toBe('a.b,list,yes,no\n"say ""hi"",\nthen go","[1.1,1.2]",true,false\n');
});

test('columns that are asked for, also without rows', () => {
  expect(toCsv([{ a: 1, b: 2, c: 3 }], ['c', 'a', 'd'])).toBe('c,a,d\n3,1,\n');
  expect(toCsv([], ['c', 'a'])).toBe('c,a\n');
});
