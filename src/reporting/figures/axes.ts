/** What the axes of several figures share. */
import type { ScaleOptions } from '@observablehq/plot';
import { FONT_SIZE } from './figure.js';
import { textWidth } from './text.js';

/** Gap between tick labels and the plot, ticks included. */
const TICK_GAP = 12;

/** Room for the ticks and the label of a bottom axis. */
export const BOTTOM = 48;
/** Where a bottom axis has its label. */
export const BOTTOM_LABEL = {
  labelArrow: 'none',
  labelAnchor: 'center',
  labelOffset: BOTTOM - 8,
} as const;

/** A speedup or another ratio, `1.23×`. */
export function times(ratio: number, digits = 2): string {
  return `${ratio.toFixed(digits)}×`;
}

/** Room that a left axis needs for labels such as these. */
export function marginFor(labels: readonly string[]): number {
  return Math.ceil(Math.max(0, ...labels.map((label) => textWidth(label, FONT_SIZE)))) + TICK_GAP;
}

/** Whole numbers from 0 or 1 to `last`, at most about `count`, in steps of 1, 2 or 5 times a power of ten. */
export function integerTicks(first: number, last: number, count: number): number[] {
  const range = Math.max(1, last - first);
  let step = 1;
  for (let power = 1; range / step > count; power *= 10) {
    for (const factor of [1, 2, 5]) {
      step = factor * power;
      if (range / step <= count) break;
    }
  }
  const ticks: number[] = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return ticks;
}

/** The ends of a scale that shows all values, with a twentieth of their range to spare; never empty. */
export function paddedDomain(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const range = high - low;
  const least = Math.max(0.01, Math.abs(high) / 20);
  // A range of a few units of the last place is none: ticks within it could not be told apart, or counted.
  const pad = range > 1e-6 * least ? range / 20 : least;
  return [low - pad, high + pad];
}

/** Room at the right end of a bottom axis, half of whose last label may stand past the end. */
export function endMarginFor(label: string): number {
  return Math.ceil(textWidth(label, FONT_SIZE) / 2) + 4;
}

/** How speedups are written on an axis: `0.8×`, with as many digits as the range needs. */
export function speedupTick([low, high]: readonly [number, number]): (value: number) => string {
  const range = high - low;
  const digits = range < 0.04 ? 3 : range < 0.4 ? 2 : range < 20 ? 1 : 0;
  return (value) => times(value, digits);
}

/** A scale of speedups. */
export function speedupScale(label: string, domain: readonly [number, number]): ScaleOptions {
  const [low, high] = domain;
  return { domain: [low, high], label, ticks: 5, tickFormat: speedupTick(domain) };
}

/** A scale of shares of one, ticks in per cent. */
export function shareScale(label: string, domain: readonly [number, number]): ScaleOptions {
  const digits = domain[1] - domain[0] < 0.04 ? 1 : 0;
  return {
    domain: [domain[0], domain[1]],
    label,
    ticks: 5,
    tickFormat: (value: number) => `${(100 * value).toFixed(digits)}%`,
  };
}
