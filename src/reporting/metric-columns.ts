/** Measured figures in tables: one heading and one form for each, whatever the table. */
import type { MeasuredFigures } from '../metrics/measured-figures.js';
import {
  eachMetric,
  METRIC_NAMES,
  METRICS,
  type MetricName,
  type Metrics,
} from '../metrics/registry.js';
import type { Column, Row } from './columns.js';
import { formatMeasured, formatPercent, formatSpeedup } from './format.js';

/** Speedup and its interval. */
export const SPEEDUP_COLUMNS: readonly Column[] = [
  { key: 'speedup', align: 'right' },
  { key: 'speedup_ci95', title: '95% interval', align: 'right' },
];

/** The column of one figure. */
export function metricColumn(name: MetricName): Column {
  const { heading, shortHeading: short } = METRICS[name];
  return { key: name, title: heading, align: 'right', ...(short !== undefined && { short }) };
}

/** Those of all figures but one that has its place elsewhere; a narrow terminal leaves them out. */
export function metricColumns(elsewhere?: MetricName): Column[] {
  return METRIC_NAMES.filter((name) => name !== elsewhere).map((name) => ({
    ...metricColumn(name),
    spare: true,
  }));
}

/** Figures from wherever they are; what is absent was not kept. */
type ToldFigures = Partial<Omit<MeasuredFigures, 'new_tokens'>> &
  Pick<MeasuredFigures, 'speedup' | 'speedup_ci95' | 'prompts'>;

/** The cells of a row in these columns. @param speedupText how its speedup is written. */
export function figureCells(figures: ToldFigures, speedupText = formatSpeedup): Row {
  const { speedup, speedup_ci95, prompts } = figures;
  return {
    speedup: speedup === null ? null : speedupText(speedup),
    speedup_ci95: speedup_ci95 === null ? null : formatMeasured(speedup_ci95, prompts),
    ...eachMetric((name) => metricText(name, figures[name] ?? null)),
  };
}

/** A figure as tables have it; null where there is none. */
export function metricText(name: MetricName, value: number | null): string | null {
  if (value === null) return null;
  const { format } = METRICS[name];
  return format === 'percent' ? formatPercent(value) : value.toFixed(format);
}

/** The figures that are told, as a list of names and values. */
export function metricLines(figures: Partial<Metrics>): [heading: string, text: string][] {
  return METRIC_NAMES.flatMap((name) => {
    const value = figures[name];
    if (value === undefined) return [];
    return [[METRICS[name].heading, metricText(name, value) ?? 'none']];
  });
}
