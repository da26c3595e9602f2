import { stripVTControlCharacters } from 'node:util';
import { type Column, columnTexts, type Row } from './columns.js';
import type { Form } from './form.js';

export const markdown: Form = {
  table: (columns, rows) => toMarkdown(columns, rows).trimEnd(),
  text: (text) => text,
  isWrapped: false,
};

/** A Markdown table (GitHub's pipe form) with a newline at its end. */
export function toMarkdown(columns: readonly Column[], rows: readonly Row[]): string {
  const texts = columnTexts(columns, rows);
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |\n`;
  return [
    line(texts.map(({ title }) => title)),
    line(texts.map(({ right }) => (right ? '---:' : '---'))),
    ...rows.map((_, i) => line(texts.map(({ cells }) => cells[i]))),
  ].join('');
}

function escapeCell(text: string): string {
  return stripVTControlCharacters(text).replace(/[\\|]/g, '\\$&');
}
