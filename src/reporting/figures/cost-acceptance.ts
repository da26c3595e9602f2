import type { PlotOptions } from '@observablehq/plot';
import type { CostAcceptance } from '../../study/pareto.js';
import { BOTTOM, BOTTOM_LABEL, endMarginFor, marginFor, paddedDomain, shareScale } from './axes.js';

/**
 * Axes and margins of a figure of drafts by what they cost and how often they are right.
 * @param label of the acceptance.
 */
export function costAcceptanceAxes(
  points: readonly CostAcceptance[],
  label: string,
): Omit<PlotOptions, 'marks' | 'height'> {
  const xs = paddedDomain(points.map(({ c }) => c));
  const ys = paddedDomain(points.map(({ acceptance }) => acceptance));
  return {
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
    y: shareScale(label, [Math.max(0, ys[0]), ys[1]]),
  };
}
