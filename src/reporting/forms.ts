import { terminal } from './fitted-table.js';
import type { Form } from './form.js';
import { latex } from './latex.js';
import { markdown } from './markdown.js';

/** By the names that `--format` takes; CSV and JSON are no forms of a document but its data. */
export const FORMS = {
  table: terminal,
  md: markdown,
  latex,
} as const satisfies Readonly<Record<string, Form>>;

export type FormName = keyof typeof FORMS;
/** Those that are for documents elsewhere, and not for a terminal. */
export const WRITTEN_FORMS = (Object.keys(FORMS) as FormName[]).filter((name) => name !== 'table');
