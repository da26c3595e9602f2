import { dot, gridY, lineY, ruleX, ruleY } from '@observablehq/plot';
import {
  BOTTOM,
  BOTTOM_LABEL,
  marginFor,
  paddedDomain,
  speedupScale,
} from '../../src/reporting/figures/axes.js';
import type { Figure } from '../../src/reporting/figures/figure.js';
import { seriesColour } from '../../src/reporting/figures/palette.js';

/** A measured speedup at a place of the x axis. */
export interface LinePoint {
  readonly series: string;
  readonly x: number;
  readonly speedup: number;
  /** 95%. */
  readonly interval: readonly [number, number] | null;
}

/** Speedup over a number, a line for each series with intervals at its points; null without a point. */
export function lineFigure(
  texts: Pick<Figure, 'name' | 'title' | 'caption'>,
  xLabel: string,
  points: readonly LinePoint[],
): Figure | null {
  if (points.length === 0) return null;
  const series = [...new Set(points.map((point) => point.series))];
  const ticks = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const [first, last] = [ticks[0]!, ticks.at(-1)!];
  // Series stand a little beside each other, so that no interval hides another.
  const step = (last - first) / 60 / Math.max(1, series.length - 1);
  const shown = points.map(({ series: name, x, speedup, interval }) => ({
    ...{ name, speedup },
    x: x + step * (series.indexOf(name) - (series.length - 1) / 2),
    low: interval?.[0] ?? speedup,
    high: interval?.[1] ?? speedup,
  }));
  return {
    ...texts,
    key: (palette) =>
      series.map((label, i) => ({ label, colour: seriesColour(palette, i), shape: 'dot' })),
    plot: (palette) => ({
      height: 320,
      marginLeft: marginFor(['0.000×']),
      marginRight: 18,
      marginTop: 28,
      marginBottom: BOTTOM,
      x: {
        domain: first === last ? [first - 1, last + 1] : [first, last],
        ticks: ticks.length <= 12 ? ticks : 6,
        tickFormat: String,
        label: xLabel,
        ...BOTTOM_LABEL,
        inset: 12,
      },
      y: speedupScale(
        'speedup',
        paddedDomain([1, ...shown.flatMap(({ low, high }) => [low, high])]),
      ),
      color: { domain: series, range: series.map((_, i) => seriesColour(palette, i)) },
      marks: [
        gridY({ ticks: 5 }),
        ruleY([1], { stroke: palette.text, strokeDasharray: '4,3' }),
        ruleX(shown, {
          x: 'x',
          y1: 'low',
          y2: 'high',
          stroke: 'name',
          strokeOpacity: 0.6,
          strokeWidth: 1.5,
          className: 'intervals',
        }),
        lineY(shown, { x: 'x', y: 'speedup', stroke: 'name', strokeWidth: 2 }),
        dot(shown, { x: 'x', y: 'speedup', fill: 'name', r: 3.5, className: 'points' }),
      ],
    }),
  };
}
