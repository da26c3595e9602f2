import { axisFy, axisX, barX, gridX, ruleX, ruleY, text, tickX } from '@observablehq/plot';
import { BOTTOM, BOTTOM_LABEL, marginFor, speedupScale, times } from './axes.js';
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
const VALUE_GAP = 8;
/** The scale ends at this many times the longest bar at most: intervals of a few noisy runs would leave no bar to see. */
const MOST_REACH = 2;

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
    value: times(speedup),
  }));
  const longest = Math.max(1, ...shown.map(({ speedup }) => speedup));
  const most = Math.max(1, ...shown.map(({ high }) => Math.min(high, MOST_REACH * longest)));
  const intervals = shown
    .filter(({ low, high }) => low < high)
    .map((bar) => ({ ...bar, high: Math.min(bar.high, most), isCut: bar.high > most }));
  const ended = intervals.filter(({ isCut }) => !isCut);
  const cut =
    ended.length < intervals.length
      ? ' A whisker without an end goes on beyond the scale; the table has its numbers.'
      : '';
  const groupHeight = methods.length * BAR_HEIGHT + GROUP_GAP;
  const valueWidth = Math.max(...shown.map(({ value }) => textWidth(value, FONT_SIZE)));
  const marginRight = Math.ceil(valueWidth) + VALUE_GAP + 4;
  const bar = { y: 'method', fy: 'group' };
  return {
    name,
    title: 'Speedup by dataset and method',
    caption: `Autoregressive time per token over that of each method, the prefill left out; whiskers are 95% intervals over prompts. The line at 1.0× is autoregressive decoding: bars that end before it are slower.${cut}`,
    key: (palette) =>
      methods.map((method, i) => ({
        label: method,
        colour: seriesColour(palette, i),
        shape: 'square',
      })),
    plot: (palette) => {
      const whiskers = { ...bar, stroke: palette.text, strokeWidth: 1.5 };
      return {
        height: datasets.length * groupHeight + BOTTOM + 12,
        marginLeft: marginFor(datasets.map(label)),
        marginRight,
        marginTop: 8,
        marginBottom: BOTTOM,
        x: speedupScale('speedup over autoregressive decoding', [0, most]),
        y: { domain: methods, axis: null, padding: 0.15 },
        fy: { domain: datasets, padding: GROUP_GAP / groupHeight },
        color: { domain: methods, range: methods.map((_, i) => seriesColour(palette, i)) },
        marks: [
          gridX(),
          axisX({ ...BOTTOM_LABEL }),
          axisFy({ anchor: 'left', label: null, tickFormat: label, tickSize: 0 }),
          barX(shown, {
            ...bar,
            x: 'speedup',
            fill: 'method',
            fillOpacity: 0.8,
            className: 'bars',
          }),
          ruleX([1], { stroke: palette.text, strokeDasharray: '4,3', className: 'one' }),
          ruleY(intervals, { ...whiskers, x1: 'low', x2: 'high', className: 'intervals' }),
          tickX(intervals, { ...whiskers, x: 'low', inset: 5, className: 'ends' }),
          tickX(ended, { ...whiskers, x: 'high', inset: 5, className: 'ends' }),
          text(shown, {
            ...bar,
            text: 'value',
            frameAnchor: 'right',
            textAnchor: 'end',
            dx: marginRight - 4,
            className: 'values',
          }),
        ],
      };
    },
  };
}
