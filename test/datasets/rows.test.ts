import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ROW_LIMITS, readRows } from '../../src/datasets/rows.js';
import { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { file } from './helpers.js';

const MIB = 1 << 20;

function read(path: string, limits = ROW_LIMITS) {
  const chunks: Uint8Array[] = [];
  const rows = [...readRows(path, (bytes) => chunks.push(Buffer.from(bytes)), limits)];
  return {
    rows: rows.map(({ line, fields }) => ({ line, ...Object.fromEntries(fields) })),
    bytes: Buffer.concat(chunks),
  };
}

describe('readRows', () => {
  it('numbers lines, skips blank ones, takes CRLF, a byte order mark and a last line without its end', () => {
    const text = '\uFEFF{"a":1}\r\n\r\n  \n{"a":"é"}\n{"a":3}';
    const { rows, bytes } = read(file('x.jsonl', text));
    expect(rows).toEqual([
      { line: 1, a: 1 },
      { line: 4, a: 'é' },
      { line: 5, a: 3 },
    ]);
    expect(bytes.toString()).toBe(text);
  });

  it('joins lines that cross the pieces in which the file is read', () => {
    const values = Array.from({ length: 5 }, (_, i) => String(i).repeat(MIB - 3));
    const { rows } = read(
      file('x.jsonl', values.map((a) => `${JSON.stringify({ a })}\n`).join('')),
    );
    expect(rows).toEqual(values.map((a, i) => ({ line: i + 1, a })));
  });

  it('refuses a file, a line or a number of rows above the limits', () => {
    const path = file('x.jsonl', '{"a":1}\n{"a":22}\n');
    expect(() => read(path, { ...ROW_LIMITS, fileBytes: 16 })).toThrow(
      /x\.jsonl is larger than 16 bytes/,
    );
    expect(() => read(path, { ...ROW_LIMITS, lineBytes: 7 })).toThrow(
      /line 2: longer than 7 bytes/,
    );
    expect(() => read(path, { ...ROW_LIMITS, rows: 1 })).toThrow(/more than 1 rows/);
    expect(read(path, { fileBytes: 17, lineBytes: 8, rows: 2 }).rows).toHaveLength(2);
  });

  it('notices a line above the limit before its end', () => {
    const path = file('x.jsonl', Buffer.alloc(18 * MIB, 'a'));
    expect(() => read(path)).toThrow(/line 1: longer than 16777216 bytes/);
  });

  it.each([
    ['broken JSON', '{"a":1}\n{"a":\n', /line 2: not a line of JSON/],
    ['a list', '{"a":1}\n[1]\n', /line 2: not a JSON object/],
    ['null', 'null\n', /line 1: not a JSON object/],
    ['broken UTF-8', Buffer.from([0x22, 0xff, 0x22]), /line 1: not a line of JSON/],
    ['deep nesting', `{"a":${'['.repeat(1e6)}`, /line 1: JSON nested deeper than 32/],
  ])('refuses %s and names the line', (_, content, message) => {
    const path = file('x.jsonl', content);
    expect(() => read(path)).toThrow(message);
    expect(() => read(path)).toThrow(InputError);
  });

  it.each([
    ['a JSON array', '\uFEFF \n[\n{"a":1}]', /is a JSON array, .*one JSON object per line; .*jq/],
    ['a long array in one line', `[${'{"a":1},'.repeat(3e6)}{}]`, /is a JSON array/],
    ['a Parquet file', Buffer.from('PAR1\x15\x04\x00PAR1', 'latin1'), /is a Parquet file, /],
    ['a gzip file', gzipSync('{"a":1}\n'), /is compressed with gzip, .*gunzip/],
  ])('says in a sentence that the file is %s', (_, content, message) => {
    const path = file('x.json', content);
    expect(() => read(path)).toThrow(message);
    expect(() => read(path)).toThrow(InputError);
    expect(() => read(path)).toThrow(/^[^\n]+\.$/);
  });

  it('does not count brackets inside strings as nesting', () => {
    const a = `${'['.repeat(100)}\\"${'{'.repeat(100)}`;
    expect(read(file('x.jsonl', JSON.stringify({ a }))).rows).toEqual([{ line: 1, a }]);
  });

  it('refuses a folder and a missing file', () => {
    expect(() => read(temporaryDirectory())).toThrow(/is not a file/);
    expect(() => read('no/such.jsonl')).toThrow(InputError);
  });
});
