import { stringify } from 'csv-stringify/sync';

type CsvRow = Readonly<Record<string, unknown>>;

/**
 * CSV with a heading line (RFC 4180, newlines as line ends). Missing values are empty, booleans `true` and `false`, lists
 * and objects JSON.
 * @param keys the columns; default every key of any row, in the order first seen.
 */
export function toCsv(rows: readonly CsvRow[], keys: readonly string[] = keysOf(rows)): string {
  if (keys.length === 0) return '';
  // Rows go in as lists: given objects, csv-stringify would look for the key "a.b" inside a.
  return stringify(
    rows.map((row) => keys.map((key) => row[key])),
    {
      header: true,
      columns: keys.map((key) => ({ key })),
      cast: { boolean: String, object: (value) => JSON.stringify(value) },
    },
  );
}

function keysOf(rows: readonly CsvRow[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}
