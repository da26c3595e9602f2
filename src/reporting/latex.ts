import { stripVTControlCharacters } from 'node:util';
import { type Column, columnTexts, type Row } from './columns.js';
import type { Form } from './form.js';

export const latex: Form = {
  table: (columns, rows) => toLatex(columns, rows).trimEnd(),
  // Lines that LaTeX passes over.
  text: (text) => text.replace(/^/gm, '% '),
  isWrapped: false,
};

/** A LaTeX table (`tabular` with the rules of the package booktabs) with a newline at its end. */
export function toLatex(columns: readonly Column[], rows: readonly Row[]): string {
  const texts = columnTexts(columns, rows);
  const line = (cells: readonly string[]) => `${cells.map(cellText).join(' & ')} \\\\\n`;
  return [
    `\\begin{tabular}{${texts.map(({ right }) => (right ? 'r' : 'l')).join('')}}\n`,
    '\\toprule\n',
    line(texts.map(({ title }) => title)),
    '\\midrule\n',
    ...rows.map((_, i) => line(texts.map(({ cells }) => cells[i]))),
    '\\bottomrule\n',
    '\\end{tabular}\n',
  ].join('');
}

/** Signs that a backslash does not make their own, or that the fonts of LaTeX's default encoding have another for. */
const NAMED: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
};

/** A cell's text. After the end of a row LaTeX would take a bracket or a star for an option of that end. */
function cellText(text: string, at: number): string {
  const escaped = stripVTControlCharacters(text).replace(
    /[\\~^<>|&%$#_{}]/g,
    (sign) => NAMED[sign] ?? `\\${sign}`,
  );
  return at === 0 ? escaped.replace(/^[[*]/, '{$&}') : escaped;
}
