import { stringify } from 'csv-stringify/sync';

/**
 * CSV with a heading line (RFC 4180, newlines as line ends): one column per key of any row, in the order first seen.
 * Missing values are empty, booleans `true` and `false`, lists and objects JSON.
 */
export function toCsv(rows: readonly Readonly<Record<string, unknown>>[]): string {
  if (rows.length === 0) return '';
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].map((key) => ({ key }));
  // Rows go in as lists: given objects, csv-stringify would look for the key "a.b" inside a.
  return stringify(
    rows.map((row) => columns.map(({ key }) => row[key])),
    { header: true, columns, cast: { boolean: String, object: (value) => JSON.stringify(value) } },
  );
}
