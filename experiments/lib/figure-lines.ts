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

type Texts = Pick<Figure, 'name' | 'title' | 'caption'>;
type Labels = Readonly<Record<'x' | 'y', string>>;

/** A speedup at a place of the x axis. */
export interface LinePoint {
  readonly series: string;
  readonly x: number;
  readonly y: number;
  /** 95%. */
  readonly interval?: readonly [number, number] | null;
}

const seriesOf = (points: readonly LinePoint[]) => [...new Set(points.map((p) => p.series))];
const frame = { marginLeft: marginFor(['0.000×']), marginRight: 18, marginTop: 28 };

/** Speedup over a number, a line for each series with intervals at its points; null without a point. */
export function lineFigure(
  texts: Texts,
  labels: Labels,
  points: readonly LinePoint[],
): Figure | null {
  if (points.length === 0) return null;
  const series = seriesOf(points);
  const ticks = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const [first, last] = [ticks[0]!, ticks.at(-1)!];
  // Series stand a little beside each other, so that no interval hides another.
  const step = (last - first) / 60 / Math.max(1, series.length - 1);
  const shown = points.map(({ series: name, x, y, interval }) => ({
    ...{ name, y, low: interval?.[0] ?? y, high: interval?.[1] ?? y },
    x: x + step * (series.indexOf(name) - (series.length - 1) / 2),
  }));
  return {
    ...texts,
    key: (palette) =>
      series.map((label, i) => ({ label, colour: seriesColour(palette, i), shape: 'dot' })),
    plot: (palette) => ({
      ...{ ...frame, height: 320, marginBottom: BOTTOM },
      x: {
        domain: first === last ? [first - 1, last + 1] : [first, last],
        ticks: ticks.length <= 12 ? ticks : 6,
        tickFormat: String,
        label: labels.x,
        ...BOTTOM_LABEL,
        inset: 12,
      },
      y: speedupScale(
        labels.y,
        paddedDomain([1, ...shown.flatMap(({ low, high }) => [low, high])]),
      ),
      color: { domain: series, range: series.map((_, i) => seriesColour(palette, i)) },
      marks: [
        gridY({ ticks: 5 }),
        ruleY([1], { stroke: palette.text, strokeDasharray: '4,3' }),
        ruleX(shown, {
          ...{ x: 'x', y1: 'low', y2: 'high', stroke: 'name' },
          ...{ strokeOpacity: 0.6, strokeWidth: 1.5, className: 'intervals' },
        }),
        lineY(shown, { x: 'x', y: 'y', stroke: 'name', strokeWidth: 2 }),
        dot(shown, { x: 'x', y: 'y', fill: 'name', r: 3.5, className: 'points' }),
      ],
    }),
  };
}

/** What has been reached so far, over a logarithmic axis: a step curve for each series; null without a point. */
export function traceFigure(
  texts: Texts,
  labels: Labels,
  points: readonly LinePoint[],
): Figure | null {
  if (points.length === 0) return null;
  const series = seriesOf(points);
  // The first few points of a bad start would leave no room for what is compared.
  const sorted = points.map(({ y }) => y).sort((a, b) => a - b);
  const domain = paddedDomain(sorted.slice(Math.floor(sorted.length / 20)));
  return {
    ...texts,
    key: (palette) =>
      series.map((label, i) => ({ label, colour: seriesColour(palette, i), shape: 'line' })),
    plot: (palette) => ({
      ...{ ...frame, height: 270, marginBottom: BOTTOM },
      x: { type: 'log', ticks: 4, tickFormat: String, label: labels.x, ...BOTTOM_LABEL },
      y: { ...speedupScale(labels.y, domain), clamp: true },
      color: { domain: series, range: series.map((_, i) => seriesColour(palette, i)) },
      marks: [
        gridY(),
        lineY(points, {
          ...{ x: 'x', y: 'y', stroke: 'series', strokeWidth: 2 },
          ...{ curve: 'step-after', className: 'traces' },
        }),
      ],
    }),
  };
}
