import { dot, gridX, gridY, line } from '@observablehq/plot';
import { type CostAcceptance, paretoFront } from '../../study/pareto.js';
import { costAcceptanceAxes } from './cost-acceptance.js';
import type { Figure } from './figure.js';

/**
 * Draft acceptance against c: every trial, the Pareto front among them, and the mask that was chosen.
 * @param points all that is known, or the front alone.
 * @param basis what the points come from, as a sentence for the caption.
 * @returns null with fewer than two points.
 */
export function paretoFigure(
  name: string,
  points: readonly CostAcceptance[],
  chosen: CostAcceptance | null,
  basis: string,
): Figure | null {
  const front = paretoFront(points, (point) => point);
  if (points.length < 2) return null;
  const rest = points.filter((point) => !front.includes(point));
  const all = chosen ? [...points, chosen] : points;
  return {
    name,
    title: 'Draft acceptance against draft cost',
    caption: `Each ${rest.length > 0 ? 'trial' : 'mask'} by c, the time of a draft pass over that of a one-token target pass, and by the share of its drafted tokens that are accepted. No mask beats one of the Pareto front in both; up and to the left is better. ${basis}${chosen ? ' The star is what held-out prompts measured of the chosen mask, and no part of the front.' : ''}`,
    key: (palette) => [
      ...(rest.length > 0
        ? [{ label: 'trial', colour: palette.faint, shape: 'ring' as const }]
        : []),
      { label: 'Pareto front', colour: palette.series[0], shape: 'dot' as const },
      ...(chosen
        ? [
            {
              label: 'chosen, on held-out prompts',
              colour: palette.series[1]!,
              shape: 'star' as const,
            },
          ]
        : []),
    ],
    plot: (palette) => ({
      height: 300,
      ...costAcceptanceAxes(all, 'draft acceptance rate'),
      marks: [
        gridX(),
        gridY(),
        dot(rest, { x: 'c', y: 'acceptance', r: 3, stroke: palette.faint, className: 'trials' }),
        line(front, {
          x: 'c',
          y: 'acceptance',
          z: null,
          curve: 'step-after',
          stroke: palette.series[0],
          strokeOpacity: 0.5,
          strokeWidth: 1.5,
        }),
        dot(front, {
          x: 'c',
          y: 'acceptance',
          r: 4,
          fill: palette.series[0],
          className: 'front',
        }),
        dot(chosen ? [chosen] : [], {
          x: 'c',
          y: 'acceptance',
          symbol: 'star',
          r: 8,
          fill: palette.series[1]!,
          stroke: palette.text,
          strokeWidth: 0.75,
          className: 'chosen',
        }),
      ],
    }),
  };
}
