import { axisFy, axisX, axisY, cell } from '@observablehq/plot';
import { maskToBits, type SkipMask } from '../../profile/mask.js';
import { FIGURE_WIDTH, type Figure } from './figure.js';

/** Layers on one line: cells stay large enough to tell on a phone. */
const LAYERS_PER_LINE = 32;
const ROWS = ['attention', 'MLP'] as const;
const MARGIN_LEFT = 78;
const RULER_STEP = 4;
const ROW_HEIGHT = 20;
const RULER_HEIGHT = 26;

/**
 * A map of the layers: which sublayers run in the draft, and which are skipped.
 * @param layers L, at least 1.
 */
export function maskFigure(name: string, mask: SkipMask, layers: number): Figure {
  const bits = maskToBits(mask, layers);
  const perLine = Math.min(layers, LAYERS_PER_LINE);
  const lines = Math.ceil(layers / perLine);
  const cells = Array.from({ length: 2 * layers }, (_, bit) => {
    const layer = Math.floor(bit / 2);
    const column = layer % perLine;
    const line = Math.floor(layer / perLine);
    return { column, line, layer, kind: ROWS[bit % 2]!, isSkipped: bits[bit] === 1 };
  });
  const numbers = Array.from({ length: layers }, (_, layer) => layer);
  const columns = numbers.slice(0, perLine);
  const cellWidth = Math.min(ROW_HEIGHT, (FIGURE_WIDTH - MARGIN_LEFT - 8) / perLine);
  return {
    name,
    title: 'Sublayers that the draft runs',
    caption: `The draft skips ${mask.attention.length} of ${layers} attention and ${mask.mlp.length} of ${layers} MLP sublayers; the target runs them all. Layers are numbered from 0, at the input.`,
    key: (palette) => [
      { label: 'runs in the draft', colour: palette.series[0], shape: 'square' },
      { label: 'skipped', colour: palette.faint, shape: 'open-square' },
    ],
    plot: (palette) => ({
      height: lines * (2 * ROW_HEIGHT + RULER_HEIGHT) + 34,
      marginLeft: MARGIN_LEFT,
      marginRight: FIGURE_WIDTH - MARGIN_LEFT - Math.floor(cellWidth * perLine),
      marginTop: 4,
      marginBottom: 40,
      x: { domain: columns, padding: 0.08, label: null },
      y: { domain: ROWS, padding: 0.08, label: null },
      fy: { domain: numbers.slice(0, lines), padding: lines > 1 ? 0.36 : 0, axis: null },
      marks: [
        axisY({ tickSize: 0 }),
        ...(lines > 1 ? [axisFy({ anchor: 'right', label: null, ticks: [] })] : []),
        ...numbers.slice(0, lines).map((line) =>
          axisX(
            columns.filter(
              (column) => column % RULER_STEP === 0 && line * perLine + column < layers,
            ),
            {
              fy: () => line,
              anchor: 'bottom',
              tickSize: 3,
              label: line === lines - 1 ? 'layer' : null,
              labelAnchor: 'left',
              labelArrow: 'none',
              tickFormat: (column: number) => String(line * perLine + column),
            },
          ),
        ),
        cell(
          cells.filter(({ isSkipped }) => !isSkipped),
          { x: 'column', y: 'kind', fy: 'line', fill: palette.series[0], rx: 2, ariaLabel: 'kept' },
        ),
        cell(
          cells.filter(({ isSkipped }) => isSkipped),
          {
            x: 'column',
            y: 'kind',
            fy: 'line',
            fill: 'none',
            stroke: palette.faint,
            inset: 0.5,
            rx: 2,
            ariaLabel: 'skipped',
          },
        ),
      ],
    }),
  };
}
