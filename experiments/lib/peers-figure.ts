import { axisX, axisY, barX, gridX, ruleX, ruleY, text } from '@observablehq/plot';
import { BOTTOM, BOTTOM_LABEL, marginFor, times } from '../../src/reporting/figures/axes.js';
import { type Figure, FONT_SIZE } from '../../src/reporting/figures/figure.js';
import { seriesColour } from '../../src/reporting/figures/palette.js';
import { textWidth } from '../../src/reporting/figures/text.js';
import { AUTOREGRESSIVE, type PeerRow, SSPEC } from './peers-summary.js';

const BAR_HEIGHT = 24;
const VALUE_GAP = 8;

/** Speeds of all methods as bars, a colour for each engine; null without a row. */
export function peersFigure(name: string, rows: readonly PeerRow[]): Figure | null {
  if (rows.length === 0) return null;
  const peers = [...new Set(rows.map(({ peer }) => peer))];
  const bars = rows.map(({ peer, method, tokens_per_second: speed, ...row }) => ({
    ...{ peer, speed, label: `${peer}: ${method}` },
    low: row.tokens_per_second_ci95?.[0] ?? speed,
    high: row.tokens_per_second_ci95?.[1] ?? speed,
    value: `${speed.toFixed(0)}${row.speedup === null ? '' : ` (${times(row.speedup)})`}`,
  }));
  const labels = bars.map(({ label }) => label);
  const own = rows.find(({ peer, method }) => peer === SSPEC && method === AUTOREGRESSIVE);
  const marginRight =
    Math.ceil(Math.max(...bars.map(({ value }) => textWidth(value, FONT_SIZE)))) + VALUE_GAP + 4;
  return {
    name,
    title: 'Tokens per second of several engines',
    caption:
      "Decoding alone, the prefill left out; greedy, the same prompts and threads, interleaved. Whiskers are 95% intervals over prompts, in brackets the speedup over the engine's own autoregressive decoding. The dashed line is sspec's autoregressive decoding.",
    key: () => [],
    plot: (palette) => ({
      height: bars.length * BAR_HEIGHT + BOTTOM + 12,
      ...{ marginLeft: marginFor(labels), marginRight, marginTop: 8, marginBottom: BOTTOM },
      x: {
        domain: [0, Math.max(...bars.map(({ high }) => high))],
        ...{ label: 'tokens per second', ticks: 5 },
      },
      y: { domain: labels, padding: 0.2, label: null },
      color: { domain: peers, range: peers.map((_, i) => seriesColour(palette, i)) },
      marks: [
        gridX(),
        axisX({ ...BOTTOM_LABEL, ticks: 5 }),
        axisY({ tickSize: 0 }),
        barX(bars, { x: 'speed', y: 'label', fill: 'peer', fillOpacity: 0.8, className: 'bars' }),
        ruleX(own ? [own.tokens_per_second] : [], {
          ...{ stroke: palette.text, strokeDasharray: '4,3' },
        }),
        ruleY(bars, {
          ...{ y: 'label', x1: 'low', x2: 'high', stroke: palette.text, strokeWidth: 1.5 },
          className: 'intervals',
        }),
        text(bars, {
          ...{ y: 'label', text: 'value', frameAnchor: 'right', textAnchor: 'end' },
          ...{ dx: marginRight - 4, className: 'values' },
        }),
      ],
    }),
  };
}
