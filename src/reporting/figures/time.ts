import { axisX, axisY, barX, gridX, text } from '@observablehq/plot';
import { BOTTOM, BOTTOM_LABEL, marginFor } from './axes.js';
import { type Figure, FONT_SIZE } from './figure.js';
import { type Palette, seriesColour } from './palette.js';
import { labelText, textWidth } from './text.js';

/** Where the time of one new token of a method went, in milliseconds. */
export interface TimeParts {
  readonly method: string;
  readonly draft: number;
  readonly verify: number;
  /** Between the passes. */
  readonly overhead: number;
}

const PARTS = ['draft', 'verify', 'overhead'] as const;
type Part = (typeof PARTS)[number];
const LABELS: Readonly<Record<Part, string>> = {
  draft: 'draft passes',
  verify: 'target passes',
  overhead: 'overhead',
};
const BAR_HEIGHT = 28;
const VALUE_GAP = 8;

/** Time per new token by method, stacked by what it was spent on; null where nothing was timed. */
export function timeFigure(name: string, methods: readonly TimeParts[]): Figure | null {
  if (methods.length === 0) return null;
  const bars = methods.flatMap((parts) => {
    let end = 0;
    return PARTS.map((part) => {
      const start = end;
      end += Math.max(0, parts[part]);
      return { method: parts.method, part, start, end };
    }).filter((bar) => bar.end > bar.start);
  });
  const totals = methods.map(({ method, draft, verify, overhead }) => ({
    method,
    total: `${(draft + verify + overhead).toPrecision(3)} ms`,
  }));
  const label = (method: string) => labelText(method, 22);
  const valueWidth = Math.max(...totals.map(({ total }) => textWidth(total, FONT_SIZE)));
  const marginRight = Math.ceil(valueWidth) + VALUE_GAP + 4;
  // Others than those of the first methods in the figures beside this one.
  const colour = (palette: Palette, part: Part) =>
    part === 'overhead' ? palette.faint : seriesColour(palette, part === 'draft' ? 3 : 5);
  return {
    name,
    title: 'Where the time goes',
    caption:
      'Time per new token after the first, by what it was spent on: passes of the draft, passes of the target (which verify drafts; all there is in autoregressive decoding), and everything between them.',
    key: (palette) =>
      PARTS.filter((part) => bars.some((bar) => bar.part === part)).map((part) => ({
        label: LABELS[part],
        colour: colour(palette, part),
        shape: 'square',
      })),
    plot: (palette) => ({
      height: methods.length * BAR_HEIGHT + BOTTOM + 8,
      marginLeft: marginFor(methods.map(({ method }) => label(method))),
      marginRight,
      marginTop: 8,
      marginBottom: BOTTOM,
      x: { domain: [0, Math.max(...bars.map(({ end }) => end))], ticks: 5 },
      y: { domain: methods.map(({ method }) => method), padding: 0.2, label: null },
      color: { domain: PARTS, range: PARTS.map((part) => colour(palette, part)) },
      marks: [
        gridX(),
        axisX({ label: 'milliseconds per token', ...BOTTOM_LABEL }),
        axisY({ tickFormat: label, tickSize: 0 }),
        barX(bars, {
          x1: 'start',
          x2: 'end',
          y: 'method',
          fill: 'part',
          fillOpacity: 0.85,
          className: 'bars',
        }),
        text(totals, {
          y: 'method',
          text: 'total',
          frameAnchor: 'right',
          textAnchor: 'end',
          dx: marginRight - 4,
          className: 'values',
        }),
      ],
    }),
  };
}
