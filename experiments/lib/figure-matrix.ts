import { axisX, axisY, cell, text } from '@observablehq/plot';
import { marginFor } from '../../src/reporting/figures/axes.js';
import { type Figure, FONT_SIZE } from '../../src/reporting/figures/figure.js';
import { labelText } from '../../src/reporting/figures/text.js';
import { formatInterval, formatSpeedup } from '../../src/reporting/format.js';

/** A measured speedup at a place of the matrix. */
export interface MatrixCell {
  readonly row: string;
  readonly column: string;
  readonly speedup: number;
  /** 95%. */
  readonly interval: readonly [number, number] | null;
}

const CELL_HEIGHT = 40;
/** Most of a colour that a cell has, so that its text stays readable. */
const STRONGEST = 0.5;

/** Speedups with their intervals as a table whose cells are the stronger coloured the further from 1; null without one. */
export function matrixFigure(
  texts: Pick<Figure, 'name' | 'title' | 'caption'>,
  cells: readonly MatrixCell[],
): Figure | null {
  if (cells.length === 0) return null;
  const rows = [...new Set(cells.map(({ row }) => row))];
  const columns = [...new Set(cells.map(({ column }) => column))];
  const furthest = Math.max(1e-9, ...cells.map(({ speedup }) => Math.abs(speedup - 1)));
  const shown = cells.map(({ row, column, speedup, interval }) => ({
    ...{ row, column, isGain: speedup >= 1 },
    strength: (STRONGEST * Math.abs(speedup - 1)) / furthest,
    value: formatSpeedup(speedup),
    spread: interval ? formatInterval(interval) : '',
  }));
  const label = (name: string) => labelText(name, 18);
  return {
    ...texts,
    key: (palette) => [
      { label: 'faster', colour: palette.series[0], shape: 'square' },
      { label: 'slower', colour: palette.series[1]!, shape: 'square' },
    ],
    plot: (palette) => ({
      height: rows.length * CELL_HEIGHT + 40,
      marginLeft: marginFor(rows.map(label)),
      marginRight: 8,
      marginTop: 32,
      marginBottom: 8,
      x: { domain: columns, padding: 0.04, label: null },
      y: { domain: rows, padding: 0.06, label: null },
      marks: [
        axisX({ anchor: 'top', tickSize: 0, tickFormat: label }),
        axisY({ tickSize: 0, tickFormat: label }),
        cell(shown, {
          x: 'column',
          y: 'row',
          fill: ({ isGain }) => (isGain ? palette.series[0] : palette.series[1]!),
          fillOpacity: 'strength',
          className: 'cells',
        }),
        text(shown, {
          x: 'column',
          y: 'row',
          text: 'value',
          dy: -7,
          fontWeight: 'bold',
          className: 'values',
        }),
        text(shown, {
          x: 'column',
          y: 'row',
          text: 'spread',
          dy: 8,
          fontSize: FONT_SIZE - 2,
        }),
      ],
      opacity: { type: 'identity' },
      color: { type: 'identity' },
    }),
  };
}
