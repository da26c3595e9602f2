import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readResults } from '../../src/evaluation/results-file.js';
import { readFirstSamples } from '../../src/evaluation/samples-file.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { evaluation, samples } from '../reporting/report/example.js';

const folder = temporaryDirectory();

describe('results.json', () => {
  const file = join(folder, 'results.json');
  const read = (value: unknown) => {
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
    return readResults(file);
  };

  it('reads as it was written; of earlier releases without command and profiles', () => {
    expect(read(evaluation)).toEqual(evaluation);
    const { command: _, profiles: __, ...earlier } = evaluation;
    expect(read(earlier)).toEqual({ ...earlier, command: null, profiles: [] });
    expect(readResults('results/eval-demo.json').rows.length).toBeGreaterThan(1);
  });

  const [row] = evaluation.rows;
  it.each([
    ['is not JSON', '{', /results\.json is not valid JSON/],
    ['has no rows', { ...evaluation, rows: [] }, /results\.json: field "rows" cannot be used/],
    ['lacks a field', { ...evaluation, model: undefined }, /field "model" cannot be used/],
    [
      'has a text for a number',
      { ...evaluation, rows: [row, { ...row, speedup: '1.2' }] },
      /field "rows\.1\.speedup" cannot be used/,
    ],
    [
      'has a share above 1',
      { ...evaluation, rows: [{ ...row, draft_acceptance_rate: 1.5 }] },
      /field "rows\.0\.draft_acceptance_rate"/,
    ],
    [
      'has an interval the wrong way round',
      { ...evaluation, rows: [{ ...row, speedup_ci95: [2, 1] }] },
      /"rows\.0\.speedup_ci95" .*lower end comes first/,
    ],
    [
      'has a profile that is none',
      { ...evaluation, profiles: [{ file: 'x', profile: {} }] },
      /field "profiles\.0\.profile/,
    ],
  ])('that %s is refused by file and field', (_, value, message) => {
    expect(() => read(value)).toThrow(message);
  });

  it('that is not there is refused', () => {
    expect(() => readResults(join(folder, 'none.json'))).toThrow(/There is no .*none\.json/);
  });
});

describe('samples.jsonl', () => {
  const file = join(folder, 'samples.jsonl');
  const read = (...lines: unknown[]) => {
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return readFirstSamples(file);
  };
  const [plain, skip] = samples;

  it('gives the first repetition', () => {
    expect(read(plain, skip, { ...plain, repetition: 1 })).toEqual(samples);
    const { pieces: _, prompt_text: __, ...earlier } = plain!;
    expect(read(earlier)).toEqual([{ ...plain, pieces: null, prompt_text: null }]);
    expect(readFirstSamples(join(folder, 'none.jsonl'))).toEqual([]);
  });

  it('passes over a last line that was cut off', () => {
    writeFileSync(file, `${JSON.stringify(plain)}\n{"dataset":`);
    expect(readFirstSamples(file)).toEqual([plain]);
  });

  it.each([
    [
      'pieces',
      { ...plain, pieces: ['a'] },
      /samples\.jsonl:2: field "pieces" .*new_tokens elements/,
    ],
    [
      'rounds',
      { ...plain, rounds: { drafted: [1], accepted: [2] } },
      /samples\.jsonl:2: field "rounds\.accepted"/,
    ],
    ['dataset', { ...plain, dataset: 1 }, /samples\.jsonl:2: field "dataset"/],
  ])('with %s that do not fit is refused by line and field', (_, line, message) => {
    expect(() => read(plain, line)).toThrow(message);
  });

  it('with a line that is not JSON is refused by line', () => {
    writeFileSync(file, '{}}\n');
    expect(() => readFirstSamples(file)).toThrow(/samples\.jsonl:1: the line is not JSON/);
  });
});
