import { colours } from './colours.js';
import { type Column, columnTexts, type Row } from './columns.js';
import type { Form } from './form.js';
import { tableIfItFits } from './table.js';
import { lineWidth, textWidth, wrapLine } from './width.js';

/** Between the name of a figure and the figure. */
const GAP = 2;
/** Room that a figure gets in the narrowest terminal. */
const NARROWEST = 12;

/** For a terminal. */
export const terminal: Form = { table: fittedTable, text: (text) => text, isWrapped: true };

/**
 * A table of figures for a terminal of any width: where it is too wide, headings are shortened, then spare columns left out, the
 * last one first, and named below; where that is not enough, every row is a block of lines.
 * @param width another width than the terminal's.
 */
export function fittedTable(
  columns: readonly Column[],
  rows: readonly Row[],
  width = lineWidth(),
): string {
  const whole = tableIfItFits(columns, rows, width);
  if (whole !== null) return whole;
  const left: Column[] = [];
  for (;;) {
    const shown = columns.filter((column) => !left.includes(column));
    const text = tableIfItFits(shown.map(shortened), rows, width);
    if (text !== null) return [text, ...leftOut(left, width)].join('\n');
    const spare = shown.findLast((column) => column.spare);
    if (!spare) return records(columns, rows, width);
    left.unshift(spare);
  }
}

function shortened(column: Column): Column {
  return column.short === undefined ? column : { ...column, title: column.short };
}

function leftOut(left: readonly Column[], width: number): string[] {
  if (left.length === 0) return [];
  const names = columnTexts(left, []).map(({ title }) => title);
  const text = `Left out, as the terminal is narrow: ${names.join(', ')} (--json has all).`;
  return wrapLine(text, width).map((line) => colours.dim(line));
}

/** A block of lines for each row, one for each figure that it has. */
function records(columns: readonly Column[], rows: readonly Row[], width: number): string {
  const texts = columnTexts(columns, rows);
  const nameWidth = Math.max(...texts.map(({ title }) => textWidth(title)));
  const room = Math.max(NARROWEST, width - nameWidth - GAP);
  const blocks = rows.map((_, i) =>
    texts.flatMap(({ title, cells }) => {
      if (cells[i] === '') return [];
      const padding = ' '.repeat(nameWidth - textWidth(title) + GAP);
      return wrapLine(cells[i].trim(), room).map((line, y) =>
        y === 0
          ? `${colours.bold(title)}${padding}${line}`
          : `${' '.repeat(nameWidth + GAP)}${line}`,
      );
    }),
  );
  return blocks.map((lines) => lines.join('\n')).join('\n\n');
}
