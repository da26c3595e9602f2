import { axisFy, axisX, barX, gridX, ruleX, ruleY, text } from '@observablehq/plot';
import { formatSpeedup } from '../format.js';
import { marginFor, speedupScale } from './axes.js';
import { type Figure, FONT_SIZE } from './figure.js';
import { seriesColour } from './palette.js';
import { labelText, textWidth } from './text.js';

/** A bar: one method on one dataset. */
export interface SpeedupBar {
  readonly dataset: string;
  readonly method: string;
  readonly speedup: number;
  readonly interval: readonly [number, number] | null;
}

const BAR_HEIGHT = 22;
const GROUP_GAP = 10;

/** Speedup bars by dataset and method with their intervals, or null where there is none. */
export function speedupFigure(name: string, bars: readonly SpeedupBar[]): Figure | null {
  if (bars.length === 0) return null;
  const datasets = [...new Set(bars.map(({ dataset }) => dataset))];
  const methods = [...new Set(bars.map(({ method }) => method))];
  const label = (dataset: string) => labelText(dataset, 20);
  const shown = bars.map(({ dataset, method, speedup, interval }) => ({
    group: dataset,
    method,
    speedup,
    low: interval?.[0] ?? speedup,
    high: interval?.[1] ?? speedup,
    value: formatSpeedup(speedup),
  }));
  const most = Math.max(1, ...shown.map(({ high }) => high));
  const groupHeight = methods.length * BAR_HEIGHT + GROUP_GAP;
  return {
    name,
    title: 'Speedup by dataset and method',
    caption:
      'Autoregressive time per token over that of each method, the prefill left out; whiskers are 95% intervals over prompts. The line at 1.0× is autoregressive decoding.',
    key: (palette) =>
      methods.map((method, i) => ({
        label: method,
        colour: seriesColour(palette, i),
        shape: 'square',
      })),
    plot: (palette) => ({
      height: datasets.length * groupHeight + 60,
      marginLeft: marginFor(datasets.map(label)),
      marginRight: Math.ceil(textWidth('0.00x', FONT_SIZE)) + 14,
      marginTop: 8,
      marginBottom: 46,
      x: speedupScale('speedup over autoregressive decoding', [0, most]),
      y: { domain: methods, axis: null, padding: 0.15 },
      fy: { domain: datasets, padding: GROUP_GAP / groupHeight },
      color: { domain: methods, range: methods.map((_, i) => seriesColour(palette, i)) },
      marks: [
        gridX(),
        axisX({ labelArrow: 'none', labelAnchor: 'center' }),
        axisFy({ anchor: 'left', label: null, tickFormat: label }),
        barX(shown, {
          x: 'speedup',
          y: 'method',
          fy: 'group',
          fill: 'method',
          fillOpacity: 0.75,
          ariaLabel: 'bars',
        }),
        ruleX([1], { stroke: palette.text, strokeDasharray: '4,3' }),
        ruleY(shown, {
          x1: 'low',
          x2: 'high',
          y: 'method',
          fy: 'group',
          stroke: palette.text,
          strokeWidth: 1.5,
          marker: 'tick',
          ariaLabel: 'intervals',
        }),
        text(shown, {
          x: 'high',
          y: 'method',
          fy: 'group',
          text: 'value',
          textAnchor: 'start',
          dx: 6,
        }),
      ],
    }),
  };
}
