import type { Column, Row } from './columns.js';

/** A way to write documents of tables and texts: a module of this folder and a line in forms.ts. */
export interface Form {
  /**
   * A table, without a newline at its end.
   * @param width of the terminal, where it is for one.
   */
  table(columns: readonly Column[], rows: readonly Row[], width: number): string;
  /** A text between tables. */
  text(text: string): string;
  /** Whether it is for a terminal, whose lines end somewhere. */
  readonly isWrapped: boolean;
}
