import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { ANY_LENGTH } from '../../src/reporting/columns.js';
import { fittedTable } from '../../src/reporting/fitted-table.js';
import { lineWidth, textWidth, wrapLine } from '../../src/reporting/width.js';

const columns = [
  { key: 'dataset' },
  { key: 'speedup', align: 'right' as const },
  { key: 'interval', title: '95% interval', align: 'right' as const },
  { key: 'length', title: 'mean length', align: 'right' as const, spare: true },
  { key: 'c', align: 'right' as const, spare: true },
];
const rows = [
  { dataset: 'stories', speedup: '1.31x', interval: '[1.24, 1.37]', length: '2.40', c: '0.61' },
  { dataset: 'code', speedup: '0.98x', interval: null, length: '1.10', c: null },
];
const shown = (width: number) =>
  stripVTControlCharacters(fittedTable(columns, rows, width)).split('\n');

test('a table that fits is a table', () => {
  expect(shown(60)[0]).toBe('dataset  speedup  95% interval  mean length     c');
  expect(shown(60)).toHaveLength(2 + rows.length);
});

test('spare columns go first, the last one before the others, and are named', () => {
  expect(shown(40)).toEqual([
    'dataset  speedup  95% interval      mean',
    '                                  length',
    '───────  ───────  ────────────  ────────',
    'stories    1.31x  [1.24, 1.37]      2.40',
    'code       0.98x                    1.10',
    'Left out, as the terminal is narrow: c',
    '(--json has all).',
  ]);
  expect(shown(32)[0]).toBe('dataset  speedup  95% interval');
  expect(shown(32).join(' ')).toContain('narrow: mean length, c');
});

test('what does not fit without them either is a block for each row, with everything in it', () => {
  expect(shown(26)).toEqual([
    'dataset       stories',
    'speedup       1.31x',
    '95% interval  [1.24, 1.37]',
    'mean length   2.40',
    'c             0.61',
    '',
    'dataset       code',
    'speedup       0.98x',
    'mean length   1.10',
  ]);
});

test('long texts of a block go on below themselves', () => {
  const list = Array.from({ length: 9 }, (_, i) => `word${i}`).join(' ');
  const block = fittedTable([{ key: 'a', whole: 60 }], [{ a: list }], 30);
  for (const line of stripVTControlCharacters(block).split('\n'))
    expect(textWidth(line)).toBeLessThanOrEqual(30);
});

test('what is to be copied is never broken: neither in a table nor in a block, nor in a sentence', () => {
  const path = `/somewhere/${'deep/'.repeat(8)}model`;
  const narrow = (width: number) =>
    stripVTControlCharacters(
      fittedTable(
        [
          { key: 'model', whole: ANY_LENGTH },
          { key: 'size', align: 'right' },
          { key: 'made', spare: true },
        ],
        [{ model: `${path}, demo`, size: '1.5 GiB', made: '2026-01-02' }],
        width,
      ),
    ).split('\n');
  expect(narrow(76)[2]).toBe(`${path}, demo  1.5 GiB`);
  for (const width of [70, 40]) expect(narrow(width).join('\n')).toContain(path);
  expect(wrapLine(`Cannot write ${path}: it is a folder.`, 30)).toEqual([
    'Cannot write',
    `${path}:`,
    'it is a folder.',
  ]);
});

test('the width is that of the terminal, 100 where there is none', () => {
  expect(lineWidth({ isTTY: true, columns: 80 })).toBe(80);
  expect(lineWidth({ columns: 80 })).toBe(100);
  // Some terminals do not say.
  expect(lineWidth({ isTTY: true, columns: 0 })).toBe(100);
  expect(lineWidth({ isTTY: true })).toBe(100);
});
