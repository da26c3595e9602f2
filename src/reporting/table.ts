import { colours } from './colours.js';
import { type Column, type ColumnText, columnTexts, type Row } from './columns.js';
import { fold, textWidth } from './fold.js';

/** Widest line of anything printed to a terminal. */
export const LINE_WIDTH = 100;

const GAP = 2;
/** Words up to the first length are kept whole if the table fits so, and only broken below the second if it does not. */
const WORD_WIDTHS = [16, 6];

/**
 * A plain text table of at most 100 columns: long texts and headings are folded onto further lines, the widest column
 * first. Only a table whose numbers alone are wider runs over.
 * @param lineWidth another width than 100.
 * @returns lines joined by newlines, without one at the end.
 */
export function table(
  columns: readonly Column[],
  rows: readonly Row[],
  lineWidth = LINE_WIDTH,
): string {
  const texts = columnTexts(columns, rows);
  const widths = fitWidths(texts, lineWidth);
  const line = (pick: (column: ColumnText) => string, paint = (text: string) => text) =>
    foldedLine(texts, widths, pick, paint);
  return [
    line(({ title }) => title, colours.bold),
    colours.dim(widths.map((width) => '─'.repeat(width)).join(' '.repeat(GAP))),
    ...rows.map((_, i) => line(({ cells }) => cells[i])),
  ].join('\n');
}

function fitWidths(columns: readonly ColumnText[], lineWidth: number): number[] {
  const widths = columns.map(({ title, cells }) => longest([title, ...cells]));
  for (const wordWidth of WORD_WIDTHS) {
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

/** Takes from the widest column above its floor, one character at a time, until the line fits or nothing gives way. */
function narrow(widths: number[], floors: readonly number[], lineWidth: number): void {
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - lineWidth;
  for (; excess > 0; excess--) {
    let widest = -1;
    widths.forEach((width, i) => {
      if (width > floors[i] && (widest < 0 || width > widths[widest])) widest = i;
    });
    if (widest < 0) return;
    widths[widest]--;
  }
}

function foldedLine(
  columns: readonly ColumnText[],
  widths: readonly number[],
  pick: (column: ColumnText) => string,
  paint: (text: string) => string,
): string {
  const folded = columns.map((column, i) => fold(pick(column), widths[i]));
  const height = Math.max(1, ...folded.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    columns
      .map(({ right }, i) => {
        const text = folded[i][y] ?? '';
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
