import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../src/datasets/load.js';
import { CSV_LIMITS, readCsv, readText } from '../../src/datasets/text.js';
import { InputError } from '../../src/errors.js';
import { file } from './helpers.js';

const csv = (content: string | Uint8Array) => file('q.csv', content);
const txt = (content: string | Uint8Array) => file('t.txt', content);
const rows = (path: string, limits = CSV_LIMITS) => [...readCsv(path, () => {}, 'prompt', limits)];

describe('CSV files', () => {
  it('reads quoted cells, the fields of our own form, and names rows after the line they begin on', () => {
    const path = csv(
      '\uFEFFcategory, prompt ,reference,id,__proto__\r\n\r\nx,"a ""b"",\r\nc",r,7,p\r\n,d,,,\r\n',
    );
    expect(loadDataset(path)).toMatchObject({ name: 'q', split: null });
    expect(loadDataset(path).prompts).toEqual([
      { id: '7', dataset: 'q', prompt: 'a "b",\nc', stop: [], category: 'x', reference: 'r' },
      { id: 'q-5', dataset: 'q', prompt: 'd', stop: [] },
    ]);
  });

  it('takes another column by name, as a dataset of its own', () => {
    const path = csv('prompt,the question\na,b\n');
    const other = loadDataset(`${path}#the question`);
    expect(other.name).toBe('q#the question');
    expect(other.prompts.map(({ prompt }) => prompt)).toEqual(['b']);
    expect(other.hash).not.toBe(loadDataset(path).hash);
    expect(loadDataset(`${path}#prompt`)).toEqual(loadDataset(path));
  });

  it('prefers a file whose own name has a #', () => {
    const path = csv('prompt\na\n');
    const odd = join(dirname(path), 'q.csv#x.CSV');
    renameSync(path, odd);
    expect(loadDataset(odd).prompts[0].prompt).toBe('a');
    expect(() => loadDataset(`${path}#x`)).toThrow(/There is no dataset or file ".*q\.csv#x"/);
  });

  it.each([
    [
      'a;b\n1;2\n',
      '',
      /q\.csv, line 1: no column "prompt"; name one as FILE\.csv#COLUMN, there are: "a;b"\.$/,
    ],
    ['a,b\n1,2\n', '#c', /line 1: no column "c"; .*there are: "a", "b"\.$/],
    [',b\n1,2\n', '#', /no column ""/],
    [`${Array.from({ length: 25 }, (_, i) => `c${i}`).join()}\n`, '', /"c19", and 5 more\.$/],
    ['a,a,prompt\n', '', /line 1: column "a" is there twice/],
    [`prompt${',x'.repeat(1000)}\n`, '', /line 1: 1001 columns, but at most 1000/],
    ['prompt,b\n"x\ny",1\n2\n', '', /q\.csv, line 4: not valid CSV/],
    ['prompt\n"x\n', '', /line 2: not valid CSV \(Quote Not Closed/],
    ['prompt\n"x"y\n', '', /line 2: not valid CSV/],
    ['prompt,b\na,1\n"\n ",2\n', '', /line 3: column "prompt" must not be blank/],
    ['prompt,b\na,1\nb,\n', '#b', /line 3: column "b" must not be blank/],
    [Buffer.from('prompt\na\n\xff\n', 'latin1'), '', /q\.csv, line 3: not UTF-8/],
    [gzipSync('prompt\na\n'), '', /is compressed with gzip, but a \.csv file .*; gunzip it/],
    ['', '', /q\.csv has no prompts/],
    ['prompt\n', '', /q\.csv has no prompts/],
  ])('refuses %j%s in a sentence', (content, column, message) => {
    const path = csv(content);
    expect(() => loadDataset(`${path}${column}`)).toThrow(message);
    expect(() => loadDataset(`${path}${column}`)).toThrow(InputError);
    expect(() => loadDataset(`${path}${column}`)).toThrow(/^[^\n]+\.$/);
  });

  it('refuses a file, a line, a record or a number of rows above the limits', () => {
    const path = csv('prompt\na\n"b\nc"\n');
    expect(() => rows(path, { ...CSV_LIMITS, fileBytes: 14 })).toThrow(/larger than 14 bytes/);
    expect(() => rows(path, { ...CSV_LIMITS, lineBytes: 5 })).toThrow(/line 1: longer than 5/);
    expect(() => rows(path, { ...CSV_LIMITS, rows: 1 })).toThrow(/more than 1 rows/);
    expect(rows(path, { ...CSV_LIMITS, fileBytes: 15, lineBytes: 6, rows: 2 })).toHaveLength(2);
    const long = csv(`prompt\n"${'abc\n'.repeat(9)}"\n`);
    expect(() => rows(long, { ...CSV_LIMITS, lineBytes: 20 })).toThrow(
      /not valid CSV \(Max Record/,
    );
  });

  it('throws nothing but InputError, whatever the text is', () => {
    const piece = fc.oneof(fc.constantFrom('prompt', ',', '"', '\n', '\r\n', '#'), fc.string());
    fc.assert(
      fc.property(fc.array(piece), fc.boolean(), (pieces, headed) => {
        const path = csv(`${headed ? 'prompt\n' : ''}${pieces.join('')}`);
        try {
          for (const { prompt } of loadDataset(path).prompts) expect(prompt.trim()).not.toBe('');
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect(String(error)).toContain(path);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('text files', () => {
  it('takes a prompt a line, skips blank ones, and leaves spaces and brackets alone', () => {
    const { name, prompts } = loadDataset(txt('\uFEFF[one\r\n\r\n  \n  {two} \n\uFEFFthree'));
    expect(name).toBe('t');
    expect(prompts).toEqual([
      { id: 't-1', dataset: 't', prompt: '[one', stop: [] },
      { id: 't-4', dataset: 't', prompt: '  {two} ', stop: [] },
      { id: 't-5', dataset: 't', prompt: '\uFEFFthree', stop: [] },
    ]);
  });

  it('has another hash with any byte, and than the same bytes as CSV', () => {
    const hash = (text: string) => loadDataset(txt(text)).hash;
    expect(hash('prompt\na\n')).toBe(hash('prompt\na\n'));
    expect(hash('prompt\na\n')).not.toBe(hash('prompt\na'));
    expect(hash('prompt\na\n')).not.toBe(loadDataset(csv('prompt\na\n')).hash);
  });

  it.each([
    ['\n{"prompt": "a"}\n', /t\.txt, line 2: a JSON object, but .*; give .* \.jsonl/],
    [Buffer.from('a\n\xff\n', 'latin1'), /t\.txt, line 2: not UTF-8/],
    [Buffer.from('PAR1'), /is a Parquet file, but a \.txt file has one prompt per line/],
    ['\n \n', /t\.txt has no prompts/],
  ])('refuses %j in a sentence', (content, message) => {
    const path = txt(content);
    expect(() => loadDataset(path)).toThrow(message);
    expect(() => loadDataset(path)).toThrow(InputError);
    expect(() => loadDataset(path)).toThrow(/^[^\n]+\.$/);
  });

  it('refuses a file, a line or a number of rows above the limits', () => {
    const path = txt('a\nbb\n');
    const read = (limits: object) => [...readText(path, () => {}, { ...CSV_LIMITS, ...limits })];
    expect(() => read({ fileBytes: 4 })).toThrow(/larger than 4 bytes/);
    expect(() => read({ lineBytes: 1 })).toThrow(/line 2: longer than 1 bytes/);
    expect(() => read({ rows: 1 })).toThrow(/more than 1 rows/);
    expect(read({ fileBytes: 5, lineBytes: 2, rows: 2 })).toHaveLength(2);
  });
});
