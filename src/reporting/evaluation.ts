import type { AuditRecord } from '../evaluation/audit.js';
import type { EvaluationDocument } from '../evaluation/document.js';
import type { DatasetRecord } from '../evaluation/prompts.js';
import { type EvaluationRow, POOLED } from '../evaluation/summary.js';
import { type Column, filledColumns, type Row } from './columns.js';
import { toCsv } from './csv.js';
import { FORMS, type FormName, WRITTEN_FORMS } from './forms.js';
import { LATENCY_TITLE, latencyColumns, latencyFields, latencyRows } from './latency.js';
import { type MethodLabels, methodLabels } from './method-labels.js';
import { figureCells, metricColumn, metricColumns, SPEEDUP_COLUMNS } from './metric-columns.js';
import { shownVerdict, verdictNotes } from './verdict.js';
import { lineWidth, wrapLine } from './width.js';

/** Forms that an evaluation is printed in. */
export const EVALUATION_FORMATS = ['table', 'json', 'csv', ...WRITTEN_FORMS] as const;
export type EvaluationFormat = (typeof EVALUATION_FORMATS)[number];

const COLUMNS: readonly Column[] = [
  { key: 'dataset' },
  { key: 'method' },
  metricColumn('tokens_per_second'),
  ...SPEEDUP_COLUMNS,
  { key: 'verdict' },
  ...metricColumns('tokens_per_second'),
];

/** Of an evaluation that was stopped. */
const STATE: Column = { key: 'state' };

const DIVERGENCES: readonly Column[] = [
  { key: 'dataset' },
  { key: 'method' },
  { key: 'prompt' },
  { key: 'position' },
  { key: 'margin' },
  { key: 'kind' },
];

/**
 * An evaluation for stdout, without a newline at its end.
 * @param width of tables, another than the terminal's.
 */
export function formatEvaluation(
  document: EvaluationDocument,
  format: EvaluationFormat,
  width = lineWidth(),
): string {
  switch (format) {
    case 'json':
      return JSON.stringify(document, null, 2);
    case 'csv':
      return evaluationCsv(document).trimEnd();
    default:
      return sections(document, format, width);
  }
}

/** The rows with all their fields, the interval's ends and every percentile by themselves, and what they were measured with; as results.csv has them. */
export function evaluationCsv({
  rows,
  model,
  precision,
  environment: { cpu },
}: EvaluationDocument): string {
  return toCsv(
    rows.map((row) => {
      const { latency_seconds, ...rest } = row;
      const [speedup_ci95_low, speedup_ci95_high] = row.speedup_ci95 ?? [];
      const interval = { speedup_ci95_low, speedup_ci95_high };
      return { ...rest, ...latencyFields(latency_seconds), ...interval, model, precision, cpu };
    }),
  );
}

function sections(document: EvaluationDocument, form: FormName, width: number): string {
  const { isWrapped } = FORMS[form];
  const fitted = (line: string) => (isWrapped ? wrapLine(line, width) : [line]);
  const text = (lines: string) => FORMS[form].text(lines.split('\n').flatMap(fitted).join('\n'));
  const table = (columns: readonly Column[], rows: readonly Row[]) =>
    FORMS[form].table(columns, rows, width);
  const { settings } = document;
  const rows = withShortNames(document.rows);
  const labels = methodLabels(rows);
  const shown = rows.map((row) => shownRow(row, labels));
  const columns = rows.some(({ partial }) => partial) ? [...COLUMNS, STATE] : COLUMNS;
  const parts = [
    text(conditions({ ...document, rows })),
    table(filledColumns(columns, shown), shown),
  ];
  parts.push(...verdictNotes(rows.map(({ verdict }) => verdict)).map(text));
  const waits = latencyRows(rows, settings.grid !== undefined, labels);
  if (waits.length > 0) parts.push(text(LATENCY_TITLE), table(latencyColumns(waits), waits));
  const divergences = rows
    .filter(({ dataset }) => dataset !== POOLED)
    .flatMap((row) =>
      row.divergences.map(
        (divergence): Row => ({ dataset: row.dataset, method: labels.short(row), ...divergence }),
      ),
    );
  if (divergences.length > 0) {
    parts.push(
      text(
        `Outputs differ from autoregressive decoding (a margin of at most ${settings.near_tie_margin} is a near-tie):`,
      ),
      table(DIVERGENCES, divergences),
    );
  } else if (rows.every((row) => row.identical_outputs === true)) {
    parts.push(text('All outputs are identical to those of autoregressive decoding.'));
  }
  if (document.audit) parts.push(text(auditSentence(document.audit)));
  return parts.join('\n\n');
}

/** Parts of a dataset without its name, where there are no others: `qa` for `spec_bench:qa`. */
function withShortNames(rows: readonly EvaluationRow[]): EvaluationRow[] {
  const wholes = new Set(
    rows
      .map(({ dataset }) => dataset)
      .filter((name) => name !== POOLED)
      .map((name) => name.split(':')[0]),
  );
  return rows.map((row) =>
    wholes.size > 1 ? row : { ...row, dataset: row.dataset.replace(/^[^:]*:/, '') },
  );
}

/** What an audit compared, and what it found. */
export function auditSentence(audit: AuditRecord): string {
  const { outputs, tokens, different_outputs: different, defects, near_ties: ties } = audit;
  const found =
    different === 0
      ? 'none differs'
      : `${different} differ, at ${defects} places by a defect and at ${ties} by a near-tie`;
  const machine = audit.bit_exact
    ? 'Passes of any length agree in every bit here, so any difference is a defect.'
    : 'Passes of several tokens can differ in bits from passes of one here, so two tokens that nearly tie may change places.';
  return `Audit: ${outputs} outputs with ${tokens} tokens compared with autoregressive decoding, ${found}.\n${machine}`;
}

/** What was measured, and where. */
function conditions({
  model,
  precision,
  settings,
  rows,
  datasets,
  environment,
}: EvaluationDocument): string {
  const { repetitions, max_new_tokens: tokens, temperature, grid } = settings;
  const upTo = grid ? grid.max_new_tokens.join(', ') : tokens;
  const lengths = grid?.prompt_tokens ? `; prompt tokens: ${grid.prompt_tokens.join(', ')}` : '';
  return [
    `${model} in ${precision}, ${environment.threads} threads on ${environment.cpu}`,
    `prompts: ${promptCounts(rows, grid !== undefined)}`,
    `put to the model as ${promptForms(datasets)}`,
    `repetitions: ${repetitions}${lengths}; new tokens: up to ${upTo}; temperature: ${temperature}`,
    ...(grid ? ['grid: prompt tokens + most new tokens'] : []),
  ].join('\n');
}

/** How many of each dataset; in a grid they are the same in all of its cells. */
function promptCounts(rows: readonly EvaluationRow[], isGrid: boolean): string {
  const counted = rows.filter((row) => row.verdict === 'baseline' && row.dataset !== POOLED);
  const names = counted.map(({ dataset, prompts }) => {
    const name = isGrid ? dataset.replace(/:?[^:]*$/, '') : dataset;
    return name === '' ? `${prompts}` : `${name} ${prompts}`;
  });
  return [...new Set(names)].join(', ');
}

/** How prompts were put to the model, by dataset where that differs. */
function promptForms(datasets: EvaluationDocument['datasets']): string {
  const formOf = ({ chat_template, system }: DatasetRecord) =>
    chat_template
      ? `messages of a chat${system === undefined ? '' : ' after a system message'}`
      : 'text to be continued';
  const forms = [...new Set(datasets.map(formOf))];
  if (forms.length === 1) return forms.join();
  return forms
    .map((form) => {
      const own = datasets.filter((dataset) => formOf(dataset) === form);
      return `${form} (${own.map(({ name }) => name).join(', ')})`;
    })
    .join(', as ');
}

function shownRow(row: EvaluationRow, labels: MethodLabels): Row {
  return {
    dataset: row.dataset,
    method: labels.short(row),
    ...figureCells(row.verdict === 'baseline' ? { ...row, speedup_ci95: null } : row),
    verdict: shownVerdict(row.verdict),
    state: row.partial && 'partial',
  };
}
