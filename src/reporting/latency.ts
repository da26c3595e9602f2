import type { Latencies, Percentiles } from '../evaluation/latency.js';
import { type EvaluationRow, POOLED } from '../evaluation/summary.js';
import type { Column, Row } from './columns.js';
import type { MethodLabels } from './method-labels.js';

/** What is waited for. */
const WAITS = [
  { key: 'first_token', title: 'first token' },
  { key: 'token', title: 'per token' },
  { key: 'request', title: 'request' },
] as const satisfies readonly { readonly key: keyof Latencies; readonly title: string }[];
const PERCENTILES = ['p50', 'p90', 'p99'] as const satisfies readonly (keyof Percentiles)[];

export const LATENCY_TITLE =
  "Latency in milliseconds: to the first token; of each token after it, a round's time shared among its tokens; of the whole request. A p90 needs 10 values, a p99 100.";

/** The columns of these rows: percentiles that none has are left out. */
export function latencyColumns(rows: readonly Row[]): Column[] {
  const isTold = ({ key }: Column) => rows.some((row) => row[key] !== null);
  return [{ key: 'dataset' }, { key: 'method' }, ...PERCENTILE_COLUMNS.filter(isTold)];
}

const PERCENTILE_COLUMNS: readonly Column[] = [
  ...WAITS.flatMap(({ key, title }) =>
    PERCENTILES.map(
      (p): Column => ({
        key: `${key}_${p}`,
        title: `${title} ${p}`,
        align: 'right',
        spare: p === 'p90',
      }),
    ),
  ),
];

type WaitingRow = Pick<EvaluationRow, 'dataset' | 'method' | 'profile' | 'latency_seconds'>;

/** A row for each method: over all datasets, or in every cell of a grid. None of evaluations that did not keep latencies. */
export function latencyRows(
  rows: readonly WaitingRow[],
  isGrid: boolean,
  labels: MethodLabels,
): Row[] {
  const pooled = rows.filter(({ dataset }) => dataset === POOLED);
  const cells = rows.filter(({ dataset }) => dataset !== POOLED);
  return (isGrid || pooled.length === 0 ? cells : pooled).flatMap((row): Row[] => {
    const { latency_seconds: latency, dataset } = row;
    if (!latency) return [];
    const figures = eachPercentile(latency, (key, p) => `${key}_${p}`).map(
      ([key, seconds]) => [key, seconds === null ? null : milliseconds(seconds)] as const,
    );
    return [{ dataset, method: labels.short(row), ...Object.fromEntries(figures) }];
  });
}

/** Every percentile as a field of its own, `first_token_seconds_p50`. */
export function latencyFields(latency: Latencies | null): Record<string, number | null> {
  if (!latency) return {};
  return Object.fromEntries(eachPercentile(latency, (key, p) => `${key}_seconds_${p}`));
}

function eachPercentile(
  latency: Latencies,
  name: (key: string, p: string) => string,
): [string, number | null][] {
  return WAITS.flatMap(({ key }) =>
    PERCENTILES.map((p): [string, number | null] => [name(key, p), latency[key]?.[p] ?? null]),
  );
}

/** Three digits where there are fewer before the point. */
function milliseconds(seconds: number): string {
  const value = seconds * 1000;
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
