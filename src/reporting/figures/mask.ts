import { axisY, cell, text } from '@observablehq/plot';
import { maskToBits, type SkipMask } from '../../profile/mask.js';
import { FIGURE_WIDTH, type Figure } from './figure.js';

/** Layers on one line: cells stay large enough to tell on a phone. */
const LAYERS_PER_LINE = 32;
const KINDS = ['attention', 'MLP'] as const;
const RULER = 'layer';
const RULER_STEP = 4;
const MARGIN_LEFT = 78;
const ROW_HEIGHT = 22;
/** Room between two lines of layers, as a share of a line and the room. */
const LINE_GAP = 0.12;

/**
 * A map of the layers: which sublayers run in the draft, and which are skipped.
 * @param layers L, at least 1.
 */
export function maskFigure(name: string, mask: SkipMask, layers: number): Figure {
  const bits = maskToBits(mask, layers);
  const perLine = Math.min(layers, LAYERS_PER_LINE);
  const lines = Math.ceil(layers / perLine);
  const numbers = Array.from({ length: layers }, (_, layer) => layer);
  const place = (layer: number) => ({ column: layer % perLine, line: Math.floor(layer / perLine) });
  const cells = numbers.flatMap((layer) =>
    KINDS.map((row, kind) => ({
      ...place(layer),
      row,
      isSkipped: bits[2 * layer + kind] === 1,
    })),
  );
  const ruler = numbers
    .filter((layer) => place(layer).column % RULER_STEP === 0)
    .map((layer) => ({ ...place(layer), row: RULER, layer }));
  const cellWidth = Math.min(ROW_HEIGHT, (FIGURE_WIDTH - MARGIN_LEFT - 8) / perLine);
  const channels = { x: 'column', y: 'row', fy: 'line' };
  return {
    name,
    title: 'Sublayers that the draft runs',
    caption: `The draft skips ${mask.attention.length} of ${layers} attention and ${mask.mlp.length} of ${layers} MLP sublayers; the target runs them all. Layers are numbered from 0, at the input.`,
    key: (palette) => [
      { label: 'runs in the draft', colour: palette.series[0], shape: 'square' },
      { label: 'skipped', colour: palette.faint, shape: 'open-square' },
    ],
    plot: (palette) => ({
      height: Math.ceil((lines * 3 * ROW_HEIGHT) / (1 - (lines > 1 ? LINE_GAP : 0))) + 8,
      marginLeft: MARGIN_LEFT,
      marginRight: Math.floor(FIGURE_WIDTH - MARGIN_LEFT - cellWidth * perLine),
      marginTop: 4,
      marginBottom: 4,
      x: { domain: numbers.slice(0, perLine), padding: 0.08, axis: null },
      y: { domain: [...KINDS, RULER], padding: 0.08, label: null },
      fy: { domain: numbers.slice(0, lines), padding: lines > 1 ? LINE_GAP : 0, axis: null },
      marks: [
        axisY({ tickSize: 0 }),
        cell(
          cells.filter(({ isSkipped }) => !isSkipped),
          { ...channels, fill: palette.series[0], rx: 2, className: 'kept' },
        ),
        cell(
          cells.filter(({ isSkipped }) => isSkipped),
          {
            ...channels,
            fill: 'none',
            stroke: palette.faint,
            inset: 0.5,
            rx: 2,
            className: 'skipped',
          },
        ),
        text(ruler, { ...channels, text: 'layer', className: 'ruler' }),
      ],
    }),
  };
}
