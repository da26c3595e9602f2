import { axisX, axisY, cell, text } from '@observablehq/plot';
import { marginFor } from '../../src/reporting/figures/axes.js';
import { type Figure, FONT_SIZE } from '../../src/reporting/figures/figure.js';
import { speedupFigure } from '../../src/reporting/figures/speedups.js';
import { labelText } from '../../src/reporting/figures/text.js';
import { formatInterval, formatSpeedup } from '../../src/reporting/format.js';
import type { Definition, RowKey } from './definition.js';
import { lineFigure } from './figure-lines.js';
import { type ExperimentResult, type MeasuredRow, measuredRows, pooledRows } from './result.js';

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
  const of = (row: MeasuredRow, key: RowKey) => String(row[key] ?? '');
  const byDataset = x === 'dataset' || series === 'dataset';
  const points = (byDataset ? measuredRows(rows) : pooledRows(rows))
    .filter((row) => row[x] !== null)
    .map((row) => {
      const { speedup, speedup_ci95: interval } = row;
      return { x: of(row, x), series: of(row, series), speedup, interval };
    });
  if (points.length === 0) return null;
  if (form === 'matrix') return matrixFigure(texts, points);
  if (form === 'lines') {
    const shown = points.map((point) => ({ ...point, x: Number(point.x), y: point.speedup }));
    return lineFigure(texts, { x: LABELS[x] ?? x, y: 'speedup' }, shown);
  }
  const bars = points.map((point) => ({ ...point, dataset: point.x, method: point.series }));
  return { ...speedupFigure(experiment, bars)!, ...texts };
}

interface MatrixCell {
  readonly x: string;
  readonly series: string;
  readonly speedup: number;
  /** 95%. */
  readonly interval: readonly [number, number] | null;
}

const CELL_HEIGHT = 40;
/** Most of a colour that a cell has, so that its text stays readable. */
const STRONGEST = 0.5;

/** Speedups with their intervals as a table whose cells are the stronger coloured the further from 1. */
function matrixFigure(
  texts: Pick<Figure, 'name' | 'title' | 'caption'>,
  cells: readonly MatrixCell[],
): Figure {
  const rows = [...new Set(cells.map(({ series }) => series))];
  const columns = [...new Set(cells.map(({ x }) => x))];
  const furthest = Math.max(1e-9, ...cells.map(({ speedup }) => Math.abs(speedup - 1)));
  const shown = cells.map(({ x: column, series: row, speedup, interval }) => ({
    ...{ row, column, isGain: speedup >= 1 },
    strength: (STRONGEST * Math.abs(speedup - 1)) / furthest,
    value: formatSpeedup(speedup),
    spread: interval ? formatInterval(interval) : '',
  }));
  const label = (name: string) => labelText(name, 18);
  const place = { x: 'column', y: 'row' };
  return {
    ...texts,
    key: (palette) => [
      { label: 'faster', colour: palette.series[0], shape: 'square' },
      { label: 'slower', colour: palette.series[1]!, shape: 'square' },
    ],
    plot: (palette) => ({
      height: rows.length * CELL_HEIGHT + 40,
      marginLeft: marginFor(rows.map(label)),
      ...{ marginRight: 8, marginTop: 32, marginBottom: 8 },
      x: { domain: columns, padding: 0.04, label: null },
      y: { domain: rows, padding: 0.06, label: null },
      marks: [
        axisX({ anchor: 'top', tickSize: 0, tickFormat: label }),
        axisY({ tickSize: 0, tickFormat: label }),
        cell(shown, {
          ...place,
          fill: ({ isGain }) => (isGain ? palette.series[0] : palette.series[1]!),
          fillOpacity: 'strength',
          className: 'cells',
        }),
        text(shown, { ...place, text: 'value', dy: -7, fontWeight: 'bold', className: 'values' }),
        text(shown, { ...place, text: 'spread', dy: 8, fontSize: FONT_SIZE - 2 }),
      ],
      opacity: { type: 'identity' },
      color: { type: 'identity' },
    }),
  };
}
