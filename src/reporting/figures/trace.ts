import { dot, gridY, lineY, ruleY } from '@observablehq/plot';
import {
  BOTTOM,
  BOTTOM_LABEL,
  integerTicks,
  marginFor,
  paddedDomain,
  speedupScale,
  speedupTick,
} from './axes.js';
import type { Figure } from './figure.js';

/** A finished trial of a search. */
export interface TracePoint {
  /** From 0. */
  readonly trial: number;
  readonly score: number;
}

/**
 * Scores in the order of the trials, and the best so far; null without a trial.
 * @param fidelity what the scores are: `ladder` predicts speedups, `decode` measures them.
 */
export function traceFigure(
  name: string,
  points: readonly TracePoint[],
  fidelity: string,
): Figure | null {
  if (points.length === 0) return null;
  const ordered = [...points].sort((a, b) => a.trial - b.trial);
  let best = -Infinity;
  const steps = ordered.map(({ trial, score }) => {
    best = Math.max(best, score);
    return { trial, best };
  });
  const last = ordered.at(-1)!.trial;
  const domain = paddedDomain([1, ...ordered.map(({ score }) => score)]);
  const kind = fidelity === 'ladder' ? 'predicted' : 'measured';
  return {
    name,
    title: 'Search trace',
    caption: `The score of every trial (${kind} speedup on a part of the calibration prompts), and the best so far.${ordered.length > 1 ? ' The best of many is biased upward; held-out prompts decide.' : ''}`,
    key: (palette) => [
      { label: 'trial', colour: palette.series[0], shape: 'ring' },
      { label: 'best so far', colour: palette.series[1]!, shape: 'line' },
      { label: 'autoregressive', colour: palette.text, shape: 'dashed' },
    ],
    plot: (palette) => ({
      height: 270,
      marginLeft: marginFor(domain.map(speedupTick(domain))),
      marginRight: 14,
      marginTop: 28,
      marginBottom: BOTTOM,
      x: {
        domain: [0, Math.max(1, last)],
        ticks: integerTicks(0, last, 6),
        tickFormat: String,
        label: 'trial',
        ...BOTTOM_LABEL,
        inset: 6,
      },
      y: speedupScale(`${kind} speedup`, domain),
      marks: [
        gridY(),
        ruleY([1], { stroke: palette.text, strokeDasharray: '4,3' }),
        dot(ordered, {
          x: 'trial',
          y: 'score',
          r: 3,
          stroke: palette.series[0],
          className: 'trials',
        }),
        lineY(steps, {
          x: 'trial',
          y: 'best',
          z: null,
          curve: 'step-after',
          stroke: palette.series[1]!,
          strokeWidth: 2,
          className: 'best',
        }),
      ],
    }),
  };
}
