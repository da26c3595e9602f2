import { colours } from './colours.js';
import { type Column, type ColumnText, columnTexts, type Row } from './columns.js';
import { lineWidth, textWidth, wrapCell } from './width.js';

const GAP = 2;
/** Words up to the first length are kept whole if the table fits so, and only broken below the second if it does not. */
const WORD_WIDTHS = [16, 6];

/**
 * A plain text table as wide as the terminal at most: long texts and headings are wrapped onto further lines, the widest
 * column first. Only a table whose numbers alone are wider runs over.
 * @param width another width than the terminal's.
 * @returns lines joined by newlines, without one at the end.
 */
export function table(
  columns: readonly Column[],
  rows: readonly Row[],
  width = lineWidth(),
): string {
  const texts = columnTexts(columns, rows);
  return drawn(texts, fitWidths(texts, width, WORD_WIDTHS), rows.length);
}

/** The same, or null where it would have to break words or run over. */
export function tableIfItFits(
  columns: readonly Column[],
  rows: readonly Row[],
  width: number,
): string | null {
  const texts = columnTexts(columns, rows);
  const widths = fitWidths(texts, width, WORD_WIDTHS.slice(0, 1));
  return excess(widths, width) > 0 ? null : drawn(texts, widths, rows.length);
}

function drawn(columns: readonly ColumnText[], widths: readonly number[], rows: number): string {
  const line = (pick: (column: ColumnText) => string, paint = (text: string) => text) =>
    wrappedLine(columns, widths, pick, paint);
  return [
    line(({ title }) => title, colours.bold),
    colours.dim(widths.map((width) => '─'.repeat(width)).join(' '.repeat(GAP))),
    ...Array.from({ length: rows }, (_, i) => line(({ cells }) => cells[i])),
  ].join('\n');
}

function fitWidths(
  columns: readonly ColumnText[],
  lineWidth: number,
  wordWidths: readonly number[],
): number[] {
  const widths = columns.map(({ title, cells }) => longest([title, ...cells]));
  for (const wordWidth of wordWidths) {
    const floors = columns.map(({ title, cells, right, whole }) => {
      const words = [title, ...(right ? [] : cells)].flatMap((text) => text.split(' '));
      return Math.max(
        Math.min(longest(words), Math.max(wordWidth, whole)),
        right ? longest(cells) : 0,
      );
    });
    narrow(widths, floors, lineWidth);
  }
  return widths;
}

/** Columns that a table of these widths has over the line's. */
function excess(widths: readonly number[], lineWidth: number): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP) - lineWidth;
}

/** Takes from the widest column above its floor, one character at a time, until the line fits or nothing gives way. */
function narrow(widths: number[], floors: readonly number[], lineWidth: number): void {
  for (let left = excess(widths, lineWidth); left > 0; left--) {
    let widest = -1;
    widths.forEach((width, i) => {
      if (width > floors[i] && (widest < 0 || width > widths[widest])) widest = i;
    });
    if (widest < 0) return;
    widths[widest]--;
  }
}

function wrappedLine(
  columns: readonly ColumnText[],
  widths: readonly number[],
  pick: (column: ColumnText) => string,
  paint: (text: string) => string,
): string {
  const wrapped = columns.map((column, i) => wrapCell(pick(column), widths[i]));
  const height = Math.max(1, ...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    columns
      .map(({ right }, i) => {
        const text = wrapped[i][y] ?? '';
        const padding = ' '.repeat(Math.max(0, widths[i] - textWidth(text)));
        return right ? padding + paint(text) : paint(text) + padding;
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  ).join('\n');
}

function longest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(textWidth));
}
