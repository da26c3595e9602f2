import { dot, gridY, lineY } from '@observablehq/plot';
import { BOTTOM, BOTTOM_LABEL, integerTicks, marginFor, shareScale } from './axes.js';
import type { Figure } from './figure.js';
import { seriesColour } from './palette.js';

/** How often each token of a method's drafts was accepted. */
export interface AcceptanceCurve {
  readonly method: string;
  /** Element i: the share of the drafted tokens at offset i that were accepted, of those before which all were. */
  readonly conditionalAcceptance: readonly (number | null)[];
}

/** Conditional acceptance by offset in the draft, a line for each method; null where nothing was drafted. */
export function acceptanceFigure(name: string, curves: readonly AcceptanceCurve[]): Figure | null {
  const points = curves.flatMap(({ method, conditionalAcceptance }) =>
    conditionalAcceptance.flatMap((share, i) =>
      share === null ? [] : [{ method, offset: i + 1, share }],
    ),
  );
  if (points.length === 0) return null;
  // A method without drafts keeps its colour for the other figures.
  const methods = curves.map(({ method }) => method);
  const drafting = methods.filter((method) => points.some((point) => point.method === method));
  const last = Math.max(...points.map(({ offset }) => offset));
  return {
    name,
    title: 'Acceptance by offset in the draft',
    caption:
      'The share of drafted tokens that were accepted, by their place in the draft, among those before which all were accepted. Far offsets rest on few drafts.',
    key: (palette) =>
      drafting.map((method) => ({
        label: method,
        colour: seriesColour(palette, methods.indexOf(method)),
        shape: 'dot',
      })),
    plot: (palette) => ({
      height: 270,
      marginLeft: marginFor(['100%']),
      marginRight: 14,
      marginTop: 28,
      marginBottom: BOTTOM,
      x: {
        domain: [1, Math.max(2, last)],
        ticks: integerTicks(1, last, 10),
        tickFormat: String,
        label: 'offset in the draft (tokens)',
        ...BOTTOM_LABEL,
        inset: 8,
      },
      y: shareScale('conditional acceptance', [0, 1]),
      color: { domain: methods, range: methods.map((_, i) => seriesColour(palette, i)) },
      marks: [
        gridY(),
        lineY(points, { x: 'offset', y: 'share', z: 'method', stroke: 'method', strokeWidth: 2 }),
        dot(points, { x: 'offset', y: 'share', fill: 'method', r: 3.5, className: 'acceptance' }),
      ],
    }),
  };
}
