import type { ProfileDifference } from '../profile/difference.js';
import { fittedTable } from './fitted-table.js';
import { formatLayers } from './format.js';

/** Longest value in a cell. */
const MOST = 32;

/** The differences of two profiles as a table. */
export function profileDifferenceText(differences: readonly ProfileDifference[]): string {
  if (differences.length === 0) return 'The profiles say the same.';
  return fittedTable(
    [{ key: 'field' }, { key: 'a', title: 'first' }, { key: 'b', title: 'second' }],
    differences.map(({ field, a, b }) => ({ field, a: told(a), b: told(b) })),
  );
}

function told(value: unknown): string {
  if (value === undefined) return '–';
  if (isLayers(value)) return value.length === 0 ? 'none' : formatLayers(value);
  const text =
    typeof value === 'number'
      ? String(Number(value.toPrecision(4)))
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
  return text.length > MOST ? `${text.slice(0, MOST - 1)}…` : text;
}

function isLayers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => Number.isInteger(one));
}
