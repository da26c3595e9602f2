import { dot, gridX, gridY } from '@observablehq/plot';
import {
  BOTTOM,
  BOTTOM_LABEL,
  endMarginFor,
  marginFor,
  paddedDomain,
  shareScale,
} from '../../src/reporting/figures/axes.js';
import type { Figure } from '../../src/reporting/figures/figure.js';
import { seriesColour } from '../../src/reporting/figures/palette.js';

const VARIANTS = ['plain', 'with a bridge', 'with a smaller head', 'with both'] as const;

/** A draft that skips a span of layers, and what it came to. */
export interface DraftPoint {
  readonly variant: (typeof VARIANTS)[number];
  readonly head_words: number | null;
  /** Share of positions where its token is the model's. */
  readonly acceptance: number;
  readonly c: number;
  readonly predicted_speedup: number;
}

/** Acceptance against the cost of a draft pass. */
export function bridgesFigure(name: string, points: readonly DraftPoint[]): Figure {
  const xs = paddedDomain(points.map(({ c }) => c));
  const ys = paddedDomain(points.map(({ acceptance }) => acceptance));
  return {
    name,
    title: 'Acceptance against the cost of a draft',
    caption:
      'Spans of whole layers skipped: the share of held-out positions where the draft has the model’s token, by c, the time of a draft pass over that of a one-token target pass. Up and to the left is better.',
    key: (palette) =>
      VARIANTS.map((label, i) => ({ label, colour: seriesColour(palette, i), shape: 'dot' })),
    plot: (palette) => ({
      height: 340,
      marginLeft: marginFor(['100.0%']),
      marginRight: endMarginFor(xs[1].toFixed(2)),
      marginTop: 28,
      marginBottom: BOTTOM,
      x: {
        domain: xs,
        ticks: 5,
        tickFormat: (value: number) => value.toFixed(2),
        label: 'c = draft pass / target pass (time)',
        ...BOTTOM_LABEL,
      },
      y: shareScale('tokens that are the model’s', [Math.max(0, ys[0]), ys[1]]),
      color: { domain: [...VARIANTS], range: VARIANTS.map((_, i) => seriesColour(palette, i)) },
      marks: [
        gridX(),
        gridY(),
        dot(points, { x: 'c', y: 'acceptance', fill: 'variant', r: 4, className: 'drafts' }),
      ],
    }),
  };
}
