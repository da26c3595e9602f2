import { formatNumber } from './format.js';

/** A value of a table; null and undefined are shown as nothing. Text may hold terminal colours. */
export type Cell = string | number | boolean | null | undefined;

/** One row: a cell per column key. */
export type Row = Readonly<Record<string, Cell>>;

/** `whole` of a column whose words are paths or names of any length. */
export const ANY_LENGTH = Number.POSITIVE_INFINITY;

/** One column of a table. */
export interface Column {
  /** The rows' key. */
  readonly key: string;
  /** Heading; default the key with spaces for underscores. */
  readonly title?: string;
  /** Heading in a terminal that is too narrow for that. Default: the same. */
  readonly short?: string;
  /** Default: right where every filled cell is a number, else left. */
  readonly align?: 'left' | 'right';
  /** Longest word of a text that is kept whole before all others' are broken: for what is copied from a table. */
  readonly whole?: number;
  /** Left out where the table is too wide for the terminal. */
  readonly spare?: boolean;
}

/** A column with its texts, as terminal and Markdown tables show it. */
export interface ColumnText {
  readonly title: string;
  readonly right: boolean;
  readonly whole: number;
  readonly cells: readonly string[];
}

/** The columns of figures that some row has; what tells rows apart stays. */
export function filledColumns(columns: readonly Column[], rows: readonly Row[]): Column[] {
  return columns.filter(
    ({ key, spare }) => !spare || rows.some((row) => cellText(row[key]) !== ''),
  );
}

/** Turns rows into the texts of each column. */
export function columnTexts(columns: readonly Column[], rows: readonly Row[]): ColumnText[] {
  return columns.map(({ key, title = key.replaceAll('_', ' '), align, whole = 0 }) => {
    const filled = rows
      .map((row) => row[key])
      .filter((cell) => cell !== null && cell !== undefined);
    const numbers = filled.length > 0 && filled.every((cell) => typeof cell === 'number');
    const cells = rows.map((row) => cellText(row[key]));
    return { title, right: align === undefined ? numbers : align === 'right', whole, cells };
  });
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  return typeof cell === 'number' ? formatNumber(cell) : cell.replace(/\s*\n\s*/g, ' ');
}
