import type { Column, Row } from './columns.js';
import { fittedTable } from './fitted-table.js';
import { latexComment, toLatex } from './latex.js';
import { toMarkdown } from './markdown.js';

/** How the parts of a document are written: tables, and texts between them. */
export interface Form {
  readonly table: (columns: readonly Column[], rows: readonly Row[]) => string;
  readonly text: (text: string) => string;
}

/** @param width of tables for a terminal. */
export function formOf(format: 'table' | 'md' | 'latex', width: number): Form {
  const text = (plain: string) => plain;
  switch (format) {
    case 'table':
      return { table: (columns, rows) => fittedTable(columns, rows, width), text };
    case 'md':
      return { table: (columns, rows) => toMarkdown(columns, rows).trimEnd(), text };
    case 'latex':
      return { table: (columns, rows) => toLatex(columns, rows).trimEnd(), text: latexComment };
  }
}
