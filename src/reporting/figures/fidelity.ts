import { dot, gridX, gridY, link, ruleX } from '@observablehq/plot';
import {
  BOTTOM,
  BOTTOM_LABEL,
  endMarginFor,
  marginFor,
  paddedDomain,
  speedupScale,
  speedupTick,
} from './axes.js';
import type { Figure } from './figure.js';

/** A candidate whose speedup was predicted, and measured too. */
export interface FidelityPoint {
  readonly predicted: number;
  readonly measured: number;
  /** Of `measured`, 95%. */
  readonly interval: readonly [number, number] | null;
}

/**
 * Predicted against measured speedups; null where nothing has both.
 * @param predictor what predicts, as the subject of a sentence.
 */
export function fidelityFigure(
  name: string,
  points: readonly FidelityPoint[],
  predictor: string,
): Figure | null {
  if (points.length === 0) return null;
  const shown = points.map(({ predicted, measured, interval }) => ({
    predicted,
    measured,
    low: interval?.[0] ?? measured,
    high: interval?.[1] ?? measured,
  }));
  const domain = paddedDomain(
    shown.flatMap(({ predicted, measured, low, high }) => [predicted, measured, low, high]),
  );
  const diagonal = [{ from: domain[0], to: domain[1] }];
  return {
    name,
    title: 'Fidelity of the prediction',
    caption: `What ${predictor} predicted of each finalist, against what decoding measured on all calibration prompts, with its 95% interval. On the dashed line the two agree; below it the prediction was too high.`,
    key: (palette) => [
      { label: 'finalist', colour: palette.series[0], shape: 'dot' },
      { label: 'prediction = measurement', colour: palette.text, shape: 'dashed' },
    ],
    plot: (palette) => ({
      height: 340,
      marginLeft: marginFor(domain.map(speedupTick(domain))),
      marginRight: endMarginFor(speedupTick(domain)(domain[1])),
      marginTop: 28,
      marginBottom: BOTTOM,
      x: {
        ...speedupScale('predicted speedup', domain),
        ...BOTTOM_LABEL,
      },
      y: speedupScale('measured speedup', domain),
      marks: [
        gridX(),
        gridY(),
        link(diagonal, {
          x1: 'from',
          y1: 'from',
          x2: 'to',
          y2: 'to',
          stroke: palette.text,
          strokeDasharray: '4,3',
        }),
        ruleX(shown, {
          x: 'predicted',
          y1: 'low',
          y2: 'high',
          stroke: palette.series[0],
          strokeOpacity: 0.6,
          strokeWidth: 1.5,
          className: 'intervals',
        }),
        dot(shown, {
          x: 'predicted',
          y: 'measured',
          r: 4,
          fill: palette.series[0],
          className: 'finalists',
        }),
      ],
    }),
  };
}
