import type {
  ComparedFigure,
  ComparedOrigin,
  Comparison,
  ComparisonRow,
} from '../evaluation/comparison.js';
import { POOLED } from '../evaluation/summary.js';
import type { Column, Row } from './columns.js';
import { toCsv } from './csv.js';
import { formatInterval, formatKnown, formatSpeedup } from './format.js';
import { FORMS, WRITTEN_FORMS } from './forms.js';
import { methodLabels } from './method-labels.js';
import { metricText } from './metric-columns.js';
import { shownVerdict, verdictNotes } from './verdict.js';
import { lineWidth, wrapLine } from './width.js';

/** Forms that a comparison is printed in. */
export const COMPARISON_FORMATS = ['table', 'csv', ...WRITTEN_FORMS] as const;
export type ComparisonFormat = (typeof COMPARISON_FORMATS)[number];

const FIGURES: readonly Column[] = [
  { key: 'dataset' },
  { key: 'method' },
  { key: 'first', align: 'right' },
  { key: 'second', align: 'right' },
  { key: 'ratio', align: 'right' },
];
/** Where there are times of single prompts. */
const COLUMNS: readonly Column[] = [
  ...FIGURES,
  { key: 'interval', title: '95% interval', align: 'right' },
  { key: 'verdict' },
  { key: 'prompts', align: 'right', spare: true },
];

const SPEED_TITLE = 'Tokens per second of decoding';
/** Where they are of one run, too, there is nothing to beware of. */
const APART = ': times of two runs, between which the machine may have changed';
const SPEEDUP_TITLE = 'Speedup over autoregressive decoding, each over that of its own run.';
/** Of a value that differs, such as a system message, so much is told. */
const LONGEST = 60;
const RATIO = 'Ratio: second over first';

/**
 * A comparison for stdout, without a newline at its end.
 * @param width of tables, another than the terminal's.
 */
export function formatComparison(
  comparison: Comparison,
  format: ComparisonFormat,
  width = lineWidth(),
): string {
  if (format === 'csv') return comparisonCsv(comparison).trimEnd();
  const form = FORMS[format];
  const table = (columns: readonly Column[], rows: readonly Row[]) =>
    form.table(columns, rows, width);
  const lines = (list: readonly string[]) => {
    const fitted = form.isWrapped ? list.flatMap((line) => wrapLine(line, width)) : list;
    return form.text(fitted.join('\n'));
  };
  const { rows, first, second } = comparison;
  const isOneRun = first.time === second.time;
  const columns = rows.some(({ prompts }) => prompts !== null) ? COLUMNS : FIGURES;
  const labels = rows.map(pairLabels(rows));
  const shown = (figureOf: (row: ComparisonRow) => ComparedFigure | null, digits: Digits) =>
    rows.flatMap((row, i): Row[] => {
      const figure = figureOf(row);
      return figure ? [shownRow(row, labels[i]!, figure, digits)] : [];
    });
  const speedups = shown(({ speedup }) => speedup, formatSpeedup);
  const parts = [lines([originLine('first', first), originLine('second', second)])];
  const notes = comparisonNotes(comparison);
  if (notes.length > 0) parts.push(lines(notes));
  parts.push(
    lines([`${SPEED_TITLE}${isOneRun ? '' : APART}.`]),
    table(
      columns,
      shown(
        (row) => row.tokens_per_second,
        (value) => metricText('tokens_per_second', value),
      ),
    ),
  );
  if (speedups.length > 0) parts.push(lines([SPEEDUP_TITLE]), table(columns, speedups));
  const verdicts = rows.flatMap(({ tokens_per_second, speedup }) => [
    tokens_per_second.verdict,
    speedup?.verdict ?? null,
  ]);
  const judged = columns === COLUMNS ? `${RATIO}; the verdict is about the second.` : `${RATIO}.`;
  parts.push(lines([judged, ...verdictNotes(verdicts)]));
  return parts.join('\n\n');
}

/** What is to be known beside the figures, a sentence each: in what the evaluations differ first. */
export function comparisonNotes({ differences, notes, rows }: Comparison): string[] {
  const labelOf = pairLabels(rows);
  const pooled = rows.filter(({ dataset }) => dataset === POOLED);
  const lengths = (pooled.length > 0 ? pooled : rows).flatMap((row) =>
    row.different_lengths
      ? [`${labelOf(row)} at ${row.different_lengths} of ${row.prompts} prompts`]
      : [],
  );
  return [
    ...differences.map(
      ({ what, first, second }) =>
        `They differ in ${what}: ${shortened(first)} in the first, ${shortened(second)} in the second.`,
    ),
    ...notes,
    ...(lengths.length > 0
      ? [`Outputs differ in length, so speeds are of other tokens: ${lengths.join(', ')}.`]
      : []),
  ];
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

type Digits = (value: number) => string | null;

function shownRow(
  { dataset, prompts }: ComparisonRow,
  method: string,
  { first, second, ratio, ratio_ci95, verdict }: ComparedFigure,
  digits: Digits,
): Row {
  return {
    dataset,
    method,
    first: digits(first),
    second: digits(second),
    ratio: formatSpeedup(ratio),
    interval: formatKnown(ratio_ci95, formatInterval),
    verdict: shownVerdict(verdict),
    prompts: formatKnown(prompts, String),
  };
}

/** One name where both sides have the same, else both. */
function pairLabels(rows: readonly ComparisonRow[]): (row: ComparisonRow) => string {
  const first = methodLabels(rows.map((row) => row.first));
  const second = methodLabels(rows.map((row) => row.second));
  return (row) => {
    const names = [first.short(row.first), second.short(row.second)];
    return [...new Set(names)].join(' / ');
  };
}

function originLine(
  name: string,
  { path, model, precision, threads, cpu, time }: ComparedOrigin,
): string {
  return `${name}: ${path}, ${model} in ${precision}, ${threads} threads on ${cpu}, ${time.slice(0, 10)}`;
}

/** A line for each row, with all its figures. */
function comparisonCsv({ rows }: Comparison): string {
  return toCsv(
    rows.map(({ dataset, first, second, prompts, different_lengths, ...figures }) => ({
      dataset,
      first_method: first.method,
      first_profile: first.profile,
      second_method: second.method,
      second_profile: second.profile,
      prompts,
      different_lengths,
      ...figureFields('tokens_per_second', figures.tokens_per_second),
      ...figureFields('speedup', figures.speedup),
    })),
  );
}

function figureFields(name: string, figure: ComparedFigure | null): Record<string, unknown> {
  const [low = null, high = null] = figure?.ratio_ci95 ?? [];
  return {
    [`${name}_first`]: figure?.first,
    [`${name}_second`]: figure?.second,
    [`${name}_ratio`]: figure?.ratio,
    [`${name}_ratio_ci95_low`]: low,
    [`${name}_ratio_ci95_high`]: high,
    [`${name}_verdict`]: figure?.verdict,
  };
}
