import { stripVTControlCharacters } from 'node:util';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { EvaluationDocument } from '../../src/evaluation/document.js';
import type { EvaluationRow } from '../../src/evaluation/summary.js';
import { tellable } from '../../src/evaluation/tellable.js';
import { evaluationCsv, formatEvaluation } from '../../src/reporting/evaluation.js';
import { LINE_WIDTH } from '../../src/reporting/width.js';
import { evaluation } from './report/example.js';

const undecided = 'not distinguishable from 1.0x';
const measured: EvaluationDocument = {
  ...evaluation,
  rows: evaluation.rows.map((row) => ({
    ...row,
    prompt_tokens: 12,
    repetition_tokens_per_second: [],
    repetition_speedups: [],
  })),
  environment: { ...evaluation.environment, model_hash: '0123' },
  warnings: [],
};

/** An evaluation of these methods on two datasets, all of them undecided, with every column filled. */
function documentOf(methods: readonly string[]): EvaluationDocument {
  const rows = ['stories', 'all'].flatMap((dataset) => [
    { ...measured.rows[0]!, dataset },
    ...methods.map(
      (method): EvaluationRow => ({ ...measured.rows[1]!, dataset, method, verdict: undecided }),
    ),
  ]);
  return { ...measured, rows };
}

describe.each([[['lookup']], [['skip', 'lookup', 'cascade']]])('a table of %j', (methods) => {
  const document = documentOf(methods);
  const lines = stripVTControlCharacters(formatEvaluation(document, 'table')).split('\n');

  it('has one line of at most 100 columns for a row, whatever the verdict', () => {
    const rule = lines.findIndex((line) => line.startsWith('──'));
    const rows = lines.slice(rule + 1, lines.indexOf('', rule));
    expect(rows.map((line) => line.split(/ +/).slice(0, 2))).toEqual(
      document.rows.map(({ dataset, method }) => [dataset, method]),
    );
    expect(
      rows.filter((line) => line.includes('] ')).map((line) => line.split(/ {2,}/)[5]),
    ).toEqual(Array(2 * methods.length).fill('unclear'));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(LINE_WIDTH);
  });

  it('fits a terminal of 80 columns, and one of 40', () => {
    for (const width of [80, 40]) {
      const text = stripVTControlCharacters(formatEvaluation(document, 'table', width));
      const table = text.split('\n\n').filter((part) => /^(dataset|stories)/.test(part));
      expect(table).not.toEqual([]);
      for (const line of table.join('\n').split('\n'))
        expect(line.length).toBeLessThanOrEqual(width);
      for (const { dataset, method } of document.rows)
        expect(text).toMatch(new RegExp(`${dataset}\\s+(method\\s+)?${method}`));
    }
  });

  it('says what the word means, and JSON and CSV have the words in full', () => {
    expect(lines).toContain(
      `unclear: ${undecided}, all comparisons taken together; an interval is of one alone.`,
    );
    for (const form of ['json', 'csv'] as const) {
      const text = formatEvaluation(document, form);
      expect(text.split(undecided)).toHaveLength(1 + 2 * methods.length);
      expect(text).not.toContain('unclear');
    }
  });
});

describe('of fewer than five prompts', () => {
  const rows = [4, 5].map((prompts) => tellable({ ...measured.rows[1]!, prompts }));
  const document = { ...measured, rows: [measured.rows[0]!, ...rows] };
  const csv = parse(evaluationCsv(document), { columns: true }) as Record<string, string>[];

  it('a table says so in place of the verdict, and why', () => {
    const text = stripVTControlCharacters(formatEvaluation(document, 'table'));
    expect(text).toMatch(/^code +skip +400\.0 +0\.80x +too few +87\.5%/m);
    expect(text).toMatch(/^code +skip +400\.0 +0\.80x +\[0\.75, 0\.86\] +slower/m);
    expect(text).toContain('too few: an interval and a verdict need 5 prompts or more.');
  });

  it('CSV has no interval, and else both of its ends in columns of their own', () => {
    const ends = csv.map((row) => [row.verdict, row.speedup_ci95_low, row.speedup_ci95_high]);
    expect(ends).toEqual([
      ['baseline', '1', '1'],
      ['too few', '', ''],
      ['slower', '0.75', '0.86'],
    ]);
    expect(csv.map((row) => row.speedup_ci95)).toEqual(['[1,1]', '', '[0.75,0.86]']);
  });

  it('CSV says what was measured, and where', () => {
    for (const row of csv)
      expect(row).toMatchObject({ model: 'demo', precision: 'int8', cpu: 'Some CPU' });
  });
});

it.each([80, 120])(
  'at %d columns every line fits, and one without figures has no column',
  (width) => {
    const rows = measured.rows.map((row) => ({ ...row, verdict: undecided, c: null }) as const);
    const text = stripVTControlCharacters(formatEvaluation({ ...measured, rows }, 'table', width));
    const widths = text.split('\n').map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(width);
    expect(text).not.toMatch(/ c(?: |$)/m);
    // A paragraph is broken where the terminal ends and not before.
    expect(text.split('\n').find((line) => line.startsWith('Latency'))!.length).toBeGreaterThan(
      width - 16,
    );
  },
);

it('explains no word that does not stand in the table', () => {
  expect(formatEvaluation(measured, 'table')).not.toContain('unclear');
});

describe('how prompts were put to the model', () => {
  const [code] = measured.datasets;
  const textOf = (...datasets: EvaluationDocument['datasets']) =>
    stripVTControlCharacters(formatEvaluation({ ...measured, datasets }, 'table'));

  it('is always said, by dataset where it differs', () => {
    const chat = { ...code!, name: 'chat', chat_template: true as const };
    expect(textOf(code!)).toContain('put to the model as text to be continued\n');
    expect(textOf(chat)).toContain('put to the model as messages of a chat\n');
    expect(textOf({ ...chat, system: 'Be brief.' })).toContain('after a system message\n');
    expect(textOf(code!, chat)).toContain(
      'as text to be continued (code), as messages of a chat (chat)\n',
    );
  });
});
