/** The figures of a decoding method, a line each: files, tables of every form and reports follow from it. */
import type { z } from 'zod';
import { cost } from './cost.js';
import { draftAcceptanceRate } from './draft-acceptance-rate.js';
import { meanAcceptanceLength } from './mean-acceptance-length.js';
import type { Metric, MetricCounts } from './metric.js';
import { tokensPerSecond } from './tokens-per-second.js';

/** By their names in files and JSON, in the order in which tables have them. */
export const METRICS = {
  draft_acceptance_rate: draftAcceptanceRate,
  mean_acceptance_length: meanAcceptanceLength,
  c: cost,
  tokens_per_second: tokensPerSecond,
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];

/** A value of each; null where there was nothing to divide by. */
export type Metrics = { readonly [N in MetricName]: number | null };

/** Makes something of every figure. */
export function eachMetric<T>(make: (name: MetricName, metric: Metric) => T): {
  [N in MetricName]: T;
} {
  const entries = METRIC_NAMES.map((name) => [name, make(name, METRICS[name])] as const);
  return Object.fromEntries(entries) as { [N in MetricName]: T };
}

/**
 * All figures of some generations.
 * @param baseline the autoregressive ones of the same prompts; null: none were made, and what needs them is null.
 */
export function measureMetrics(own: MetricCounts, baseline: MetricCounts | null): Metrics {
  return eachMetric((_, { measure, needsBaseline }) =>
    needsBaseline && baseline === null ? null : measure(own, baseline ?? own),
  );
}

/** The figures of something that has more. */
export function metricsOf(row: Metrics): Metrics {
  return eachMetric((name) => row[name]);
}

/** The fields of a file's schema. */
export function metricShape<S extends z.ZodType>(
  field: (schema: z.ZodNumber) => S,
): { [N in MetricName]: S } {
  return eachMetric((_, { schema }) => field(schema));
}
