import { dot, gridX, gridY } from '@observablehq/plot';
import { costAcceptanceAxes } from '../../src/reporting/figures/cost-acceptance.js';
import type { Figure } from '../../src/reporting/figures/figure.js';
import { seriesColour } from '../../src/reporting/figures/palette.js';

const VARIANTS = [
  'plain',
  'with a bridge',
  'with a memory',
  'with a memory and a smaller head',
] as const;

/** A draft that skips a span of layers, and what it came to. */
export interface DraftPoint {
  readonly variant: (typeof VARIANTS)[number];
  readonly head_words: number | null;
  /** Share of positions where the first token of a draft is the model's. */
  readonly acceptance: number;
  readonly c: number;
  readonly predicted_speedup: number;
}

/** Acceptance against the cost of a draft pass. */
export function bridgesFigure(name: string, points: readonly DraftPoint[]): Figure {
  return {
    name,
    title: 'Acceptance against the cost of a draft',
    caption:
      'Spans of whole layers skipped: the share of held-out positions where the first token of a draft is the model’s, by c, the time of a draft pass over that of a one-token target pass. Up and to the left is better.',
    key: (palette) =>
      VARIANTS.map((label, i) => ({ label, colour: seriesColour(palette, i), shape: 'dot' })),
    plot: (palette) => ({
      height: 340,
      ...costAcceptanceAxes(points, 'first tokens that are the model’s'),
      color: { domain: [...VARIANTS], range: VARIANTS.map((_, i) => seriesColour(palette, i)) },
      marks: [
        gridX(),
        gridY(),
        dot(points, { x: 'c', y: 'acceptance', fill: 'variant', r: 4, className: 'drafts' }),
      ],
    }),
  };
}
