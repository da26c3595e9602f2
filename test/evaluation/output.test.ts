import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { InputError } from '../../src/errors.js';
import { type EvaluationDocument, evaluationDocument } from '../../src/evaluation/document.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { prepareOutputDirectory, writeEvaluation } from '../../src/evaluation/output.js';
import type { EvaluationResult } from '../../src/evaluation/run.js';
import { summarise } from '../../src/evaluation/summary.js';
import { describeEnvironment } from '../../src/measurement/environment.js';
import { evaluationCsv, formatEvaluation } from '../../src/reporting/evaluation.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { loadSmallEngine, REQUEST } from './example.js';

let engine: Engine;
let result: EvaluationResult;
let document: EvaluationDocument;
beforeAll(async () => {
  engine = await loadSmallEngine();
  result = await evaluate({ engine, tokenizer: null }, REQUEST);
  const datasets = [{ name: 'a', split: null, version: 1, hash: 'abc', prompts: 3 }];
  const environment = describeEnvironment({ threads: 2, precision: 'fp32' });
  const rows = summarise(result, []);
  document = evaluationDocument({ reference: 'mini', engine }, result, datasets, rows, environment);
});
afterAll(() => engine.close());

/** The columns that the command-line contract names. */
const CONTRACT = [
  'dataset',
  'method',
  'profile',
  'prompts',
  'new_tokens',
  'tokens_per_second',
  'speedup',
  'speedup_ci95',
  'verdict',
  'draft_acceptance_rate',
  'mean_acceptance_length',
  'target_passes',
  'draft_passes',
  'identical_outputs',
  'divergences',
];

describe('the output directory', () => {
  test('gets results.json, tables and samples.jsonl, and nothing else', () => {
    const directory = join(temporaryDirectory(), 'new', 'folder');
    prepareOutputDirectory(directory);
    expect(readdirSync(directory)).toEqual([]);
    writeEvaluation(
      directory,
      document,
      { csv: evaluationCsv(document), latex: formatEvaluation(document, 'latex') },
      result,
      null,
    );
    expect(readdirSync(directory).sort()).toEqual([
      'results.csv',
      'results.json',
      'results.tex',
      'samples.jsonl',
    ]);
    expect(readFileSync(join(directory, 'results.tex'), 'utf8')).toMatch(/^% .*\\bottomrule/s);

    const json = JSON.parse(readFileSync(join(directory, 'results.json'), 'utf8'));
    expect(json).toEqual(document);
    // Two prompts and one.
    for (const row of json.rows)
      expect([row.verdict, row.speedup_ci95]).toEqual(
        row.method === 'autoregressive' ? ['baseline', [1, 1]] : ['too few', null],
      );
    for (const row of json.rows) expect(Object.keys(row)).toEqual(expect.arrayContaining(CONTRACT));

    const [heading, ...lines] = readFileSync(join(directory, 'results.csv'), 'utf8')
      .trim()
      .split('\n');
    expect(heading!.split(',')).toEqual(expect.arrayContaining(CONTRACT));
    expect(lines.length).toBe(document.rows.length);
    expect(lines[1]).toMatch(/^a,skip,folder\/best\.json,2,2,40,/);
  });

  test('has one line per generation in samples.jsonl', () => {
    const directory = temporaryDirectory();
    writeEvaluation(directory, document, { csv: '', latex: '' }, result, null);
    const text = readFileSync(join(directory, 'samples.jsonl'), 'utf8');
    const samples = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(samples.length).toBe(result.samples.length);
    const skip = samples.find((sample) => sample.method === 'skip' && sample.prompt === 'b-1');
    expect(skip).toMatchObject({
      dataset: 'b',
      profile: 'folder/best.json',
      repetition: 0,
      prompt_tokens: 70,
      new_tokens: 20,
      finish_reason: 'length',
      text: null,
    });
    expect(skip.token_ids.length).toBe(20);
    const sum = (list: number[]) => list.reduce((total, x) => total + x, 0);
    expect(sum(skip.rounds.drafted)).toBe(skip.proposed_tokens);
    expect(sum(skip.rounds.accepted)).toBe(skip.accepted_tokens);
    expect(sum(skip.rounds.draft_seconds)).toBeCloseTo(skip.draft_seconds, 9);
    expect(skip.rounds.target_seconds.length).toBe(skip.target_passes);
  });

  test('that cannot be made is refused beforehand', () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    expect(() => prepareOutputDirectory(join(file, 'below'))).toThrow(InputError);
    expect(() => prepareOutputDirectory(file)).toThrow(/--output-dir .*name another folder/);
  });

  test.runIf(existsSync('/proc/self'))('is refused where no folder can be made', () => {
    expect(() => prepareOutputDirectory('/proc/sspec/results')).toThrow(InputError);
  });

  test('keeps what it already holds when it is prepared', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'sub'));
    writeFileSync(join(directory, 'results.json'), 'old');
    expect(() => prepareOutputDirectory(directory)).toThrow(/results already .*--force/);
    prepareOutputDirectory(directory, 'force');
    expect(readFileSync(join(directory, 'results.json'), 'utf8')).toBe('old');
    expect(readdirSync(directory).sort()).toEqual(['results.json', 'sub']);
  });
});

describe('the printed forms', () => {
  test('table: within 100 columns, a line of figures for each row', () => {
    const text = stripVTControlCharacters(formatEvaluation(document, 'table'));
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(text).toContain('prompts: a 2, b 1');
    expect(text).toContain('All outputs are identical');
    expect(text.match(/1\.00x +baseline/g)?.length).toBe(3);
    // A profile is named where there are several of them.
    expect(text).not.toContain('best.json');
    const others = document.rows
      .filter(({ method }) => method === 'skip')
      .map((row) => ({ ...row, profile: 'folder/other.json' }));
    const several = formatEvaluation({ ...document, rows: [...document.rows, ...others] }, 'md');
    expect(several).toContain('skip best.json');
    expect(several).toContain('skip other.json');
  });

  test('table: differing outputs are listed with their place, once', () => {
    const divergences = [{ prompt: 'a-2', position: 7, margin: 1.25, kind: 'defect' as const }];
    const rows = document.rows.map((row) =>
      row.method === 'skip' && row.dataset !== 'b'
        ? { ...row, identical_outputs: false, divergences }
        : row,
    );
    const text = stripVTControlCharacters(formatEvaluation({ ...document, rows }, 'table'));
    expect(text).not.toContain('All outputs are identical');
    expect(text.match(/a +skip +a-2 +7 +1\.25 +defect/g)?.length).toBe(1);
  });

  test('table: parts of a single dataset stand without its name, and the audit has its sentence', () => {
    const parts = document.rows.map((row) =>
      row.dataset === 'all' ? row : { ...row, dataset: `bench:${row.dataset}` },
    );
    const audit = {
      ...{ outputs: 15, tokens: 300, different_outputs: 2, near_ties: 1, defects: 0 },
      bit_exact: false,
    };
    const text = stripVTControlCharacters(
      formatEvaluation({ ...document, rows: parts, audit }, 'table'),
    );
    expect(text).toContain('prompts: a 2, b 1');
    expect(text).toMatch(/^a +autoregressive/m);
    // Broken where the terminal ends.
    expect(text.replaceAll('\n', ' ')).toContain(
      'Audit: 15 outputs with 300 tokens compared with autoregressive decoding, 2 differ, at 0 places by a defect and at 1 by a near-tie.',
    );
    expect(text).toContain('can differ in bits');
    const two = parts.map((row, i) => (i < 3 ? { ...row, dataset: 'other:a' } : row));
    expect(formatEvaluation({ ...document, rows: two }, 'md')).toContain('bench:b');
  });

  test('json, csv and md hold every row', () => {
    expect(JSON.parse(formatEvaluation(document, 'json'))).toEqual(document);
    expect(formatEvaluation(document, 'csv').split('\n').length).toBe(1 + document.rows.length);
    const latex = formatEvaluation(document, 'latex').split('\n');
    // All but tables is commented out.
    for (const line of latex) expect(line).toMatch(/^(?:% |\\\w|.* \\\\$|$)/);
    expect(latex.filter((line) => / & .*\\\\$/.test(line))[0]).toContain('95\\% interval');
    const md = formatEvaluation(document, 'md').split('\n');
    // Beside it the latencies over all datasets.
    expect(md.filter((line) => line.startsWith('|')).length).toBe(2 + 3 + 2 + document.rows.length);
  });
});
