import { stripVTControlCharacters } from 'node:util';
import chalk from 'chalk';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toLatex } from '../../src/reporting/latex.js';
import { toMarkdown } from '../../src/reporting/markdown.js';
import { table } from '../../src/reporting/table.js';
import { LINE_WIDTH } from '../../src/reporting/width.js';

const lines = (text: string) => stripVTControlCharacters(text).split('\n');

const columns = [
  { key: 'method' },
  { key: 'new_tokens' },
  { key: 'speedup', align: 'right' as const },
];
const rows = [
  { method: 'skip', new_tokens: 5120, speedup: '1.31x' },
  { method: 'lookup', new_tokens: 96, speedup: null },
];

test('numbers stand on the right, text on the left', () => {
  expect(lines(table(columns, rows))).toEqual([
    'method  new tokens  speedup',
    '──────  ──────────  ───────',
    'skip          5120    1.31x',
    'lookup          96',
  ]);
});

test('colours in a cell take no room', () => {
  const coloured = [{ a: chalk.red('x'), b: 1 }];
  expect(lines(table([{ key: 'a' }, { key: 'b' }], coloured))).toEqual(['a  b', '─  ─', 'x  1']);
});

test('long texts are wrapped at spaces to 100 columns and nothing is lost', () => {
  const word = fc.string({
    minLength: 1,
    maxLength: 30,
    unit: fc.constantFrom('a', 'b', 'é', '█'),
  });
  const text = fc.array(word, { minLength: 1, maxLength: 20 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(text, text, fc.nat(), (a, b, n) => {
      const shown = lines(table([{ key: 'a' }, { key: 'b' }, { key: 'n' }], [{ a, b, n }]));
      for (const line of shown) expect([...line].length).toBeLessThanOrEqual(LINE_WIDTH);
      const count = (s: string) => [...s].filter((c) => c !== ' ').length;
      // The heading takes the letters a, b and n; the rule under it is the second line.
      expect(count(shown.join('')) - count(shown[1])).toBe(
        3 + count(a) + count(b) + count(String(n)),
      );
    }),
  );
});

test('another width holds too, and words to be copied stay whole before others', () => {
  const name = 'demo-prompts-int8-bo-ladder-0';
  const shown = lines(
    table([{ key: 'name', whole: 34 }, { key: 'path' }], [{ name, path: '/x'.repeat(15) }], 40),
  );
  expect(Math.max(...shown.map((line) => line.length))).toBe(40);
  expect(shown[2]).toMatch(`${name}  /x`);
  expect(lines(table([{ key: 'name', whole: 8 }], [{ name: 'x'.repeat(20) }], 10))).toEqual([
    ...['name', '─'.repeat(10), 'x'.repeat(10), 'x'.repeat(10)],
  ]);
});

test('an evaluation with all its columns fits', () => {
  const wide =
    'dataset method profile prompts new_tokens tokens_per_second speedup interval verdict';
  const keys = `${wide} draft_acceptance_rate mean_acceptance_length`.split(' ');
  const row = {
    dataset: 'humaneval',
    method: 'autoregressive',
    profile: 'profiles/a-long-name.json',
    prompts: 164,
    new_tokens: 20992,
    tokens_per_second: 512.5,
    speedup: 1.31,
    interval: '[1.24, 1.37]',
    verdict: 'not distinguishable from 1.0x',
    draft_acceptance_rate: 0.8412,
    mean_acceptance_length: 3.912,
  };
  const shown = lines(
    table(
      keys.map((key) => ({ key })),
      [row],
    ),
  );
  expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(LINE_WIDTH);
  expect(shown.join('\n')).toContain('0.8412');
});

test('Markdown: alignment, escaped pipes, no line breaks', () => {
  const markdown = toMarkdown(
    [{ key: 'a', title: 'A' }, { key: 'n' }],
    [
      { a: 'x|y\\z\nw', n: 1.5 },
      { a: undefined, n: 2 },
    ],
  );
  expect(markdown).toBe('| A | n |\n| --- | ---: |\n| x\\|y\\\\z w | 1.5 |\n|  | 2 |\n');
});

test('LaTeX: alignment, the signs that mean something to it, no option of a row end', () => {
  const latex = toLatex(
    [
      { key: 'a', title: 'A_1' },
      { key: 'n', title: '95% interval' },
    ],
    [
      { a: '[0.9, 1.1]', n: 1.5 },
      { a: '\\{x}_y & #1 ~ 50% $a^2 < b|c', n: -2 },
    ],
  );
  expect(latex.split('\n')).toEqual([
    '\\begin{tabular}{lr}',
    '\\toprule',
    'A\\_1 & 95\\% interval \\\\',
    '\\midrule',
    '{[}0.9, 1.1] & 1.5 \\\\',
    '\\textbackslash{}\\{x\\}\\_y \\& \\#1 \\textasciitilde{} 50\\% \\$a\\textasciicircum{}2 \\textless{} b\\textbar{}c & -2 \\\\',
    '\\bottomrule',
    '\\end{tabular}',
    '',
  ]);
});
