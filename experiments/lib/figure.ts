import { POOLED } from '../../src/evaluation/summary.js';
import type { Figure } from '../../src/reporting/figures/figure.js';
import { speedupFigure } from '../../src/reporting/figures/speedups.js';
import type { Definition, RowKey } from './definition.js';
import { lineFigure } from './figure-lines.js';
import { matrixFigure } from './figure-matrix.js';
import type { ExperimentResult, ResultRow } from './result.js';

const LABELS: Readonly<Partial<Record<RowKey, string>>> = {
  prompt_tokens: 'prompt (tokens)',
  draft_length: 'draft length K (tokens)',
  threshold: 'confidence threshold',
};

/** The figure that a definition asks for; null where no row has a speedup. */
export function experimentFigure(
  { figure: { form, x, series } }: Pick<Definition, 'figure'>,
  { experiment, title, question, rows }: ExperimentResult,
): Figure | null {
  const texts = {
    name: experiment,
    title,
    caption: `${question} Speedups are over autoregressive decoding, the prefill left out, with 95% intervals over prompts.`,
  };
  const byDataset = x === 'dataset' || series === 'dataset';
  const shown = measuredRows(rows)
    .filter((row) => byDataset || row.dataset === pooledName(rows))
    .filter((row) => row[x] !== null);
  const of = (row: MeasuredRow, key: RowKey) => String(row[key] ?? '');
  switch (form) {
    case 'lines':
      return lineFigure(
        texts,
        LABELS[x] ?? x,
        shown.map((row) => ({ ...speedupOf(row), series: of(row, series), x: Number(row[x]) })),
      );
    case 'matrix':
      return matrixFigure(
        texts,
        shown.map((row) => ({ ...speedupOf(row), row: of(row, series), column: of(row, x) })),
      );
    case 'bars': {
      const bars = shown.map((row) => ({
        ...speedupOf(row),
        dataset: of(row, x),
        method: of(row, series),
      }));
      const figure = speedupFigure(experiment, bars);
      return figure && { ...figure, ...texts };
    }
  }
}

/** A row of a variant, with a speedup. */
export type MeasuredRow = ResultRow & { readonly speedup: number };

/** Without autoregressive decoding, and what made too few tokens to be timed. */
export function measuredRows(rows: readonly ResultRow[]): MeasuredRow[] {
  return rows.filter(
    (row): row is MeasuredRow => row.speedup !== null && row.method !== 'autoregressive',
  );
}

/** The dataset of the rows that count all prompts: that of all together, where there are several. */
export function pooledName(rows: readonly ResultRow[]): string | undefined {
  return rows.some(({ dataset }) => dataset === POOLED) ? POOLED : rows[0]?.dataset;
}

function speedupOf({ speedup, speedup_ci95 }: MeasuredRow) {
  return { speedup, interval: speedup_ci95 };
}
