import type { RecordedEvaluation, RecordedRow } from '../../evaluation/results-file.js';
import { tellable } from '../../evaluation/tellable.js';
import { TOO_FEW } from '../../measurement/few-prompts.js';
import { type Column, filledColumns, type Row } from '../columns.js';
import { times } from '../figures/axes.js';
import { formatBytes, formatSeconds } from '../format.js';
import { LATENCY_TITLE, latencyColumns, latencyRows } from '../latency.js';
import { type MethodLabels, methodLabels } from '../method-labels.js';
import { figureCells, metricColumn, metricColumns, SPEEDUP_COLUMNS } from '../metric-columns.js';
import { shortReference } from '../short-reference.js';
import { conditions, environment, warnings } from './evaluation-circumstances.js';
import { evaluationFigures, isSingle, pooledRows } from './evaluation-figures.js';
import { counted, headline } from './headline.js';
import { type Content, html } from './html.js';
import type { EvaluationInput } from './inputs.js';
import { commands, dataTable, figureGrid, type Headline, type Section } from './section.js';
import { sideBySide } from './side-by-side.js';

/** Differences between outputs that are listed. */
const MOST_DIVERGENCES = 50;

/** What an evaluation showed. `id` also begins the names of its figures. */
export function evaluationSection(id: string, input: EvaluationInput): Section {
  const { samples } = input;
  // Files of earlier releases have intervals of a single prompt.
  const evaluation = { ...input.evaluation, rows: input.evaluation.rows.map(tellable) };
  const labels = methodLabels(evaluation.rows);
  const figures = evaluationFigures(id, evaluation, labels);
  const shown = evaluation.rows.map((row) => shownRow(row, labels));
  const waits = latencyRows(evaluation.rows, evaluation.settings.grid !== undefined, labels);
  return {
    id,
    title: `Evaluation of ${shortReference(evaluation.model)} in ${evaluation.precision}`,
    headlines: headlines(evaluation, labels),
    figures,
    body: html`
<p>${conditions(evaluation)}</p>
${warnings(evaluation)}
${outputs(evaluation, labels)}
${figureGrid(figures)}
${dataTable(
  'Results of every method on every dataset',
  filledColumns(
    evaluation.rows.some(({ partial }) => partial) ? [...COLUMNS, STATE] : COLUMNS,
    shown,
  ),
  shown,
)}
${dataTable(LATENCY_TITLE, latencyColumns(waits), waits)}
${sideBySide(samples, evaluation.rows, labels)}
<h3>Environment</h3>
${environment(evaluation)}
${commands([...evaluation.profiles.map(({ profile }) => profile.provenance.command), evaluation.command])}`,
  };
}

function headlines(evaluation: RecordedEvaluation, labels: MethodLabels): Headline[] {
  return pooledRows(evaluation).flatMap((row) => {
    const { speedup, speedup_ci95: interval, verdict } = row;
    if (speedup === null || verdict === 'baseline') return [];
    if (interval === null && verdict !== TOO_FEW) return [];
    if (!isHeldOut(evaluation, row)) return [];
    const adjective = evaluation.datasets.every(({ split }) => split === 'heldout')
      ? 'held-out '
      : '';
    const names = new Set(evaluation.rows.map(({ dataset }) => dataset).filter(isSingle));
    const prompts = `${counted(row.prompts, `${adjective}prompt`)} (${[...names].join(', ')})`;
    return [headline({ subject: labels.sentence(row), speedup, interval, verdict, prompts })];
  });
}

/** Whether a search for the row's profile cannot have seen the prompts; a method without one was not searched. */
function isHeldOut({ datasets, profiles }: RecordedEvaluation, row: RecordedRow): boolean {
  if (row.profile === null) return true;
  const measured = profiles.find(({ file }) => file === row.profile);
  const searched = measured?.profile.provenance.dataset?.hash;
  return datasets.every(
    ({ split, hash }) =>
      measured !== undefined && hash !== searched && (split === 'heldout' || split === null),
  );
}

/** Whether the outputs are those of autoregressive decoding, and where not. */
function outputs({ rows, settings }: RecordedEvaluation, labels: MethodLabels): Content {
  const single = rows.filter(({ dataset }) => isSingle(dataset));
  const divergences = single.flatMap((row) =>
    row.divergences.map(
      (divergence): Row => ({ dataset: row.dataset, method: labels.short(row), ...divergence }),
    ),
  );
  if (divergences.length === 0)
    return single.every(({ identical_outputs }) => identical_outputs === true)
      ? html`<p>All outputs are identical to those of autoregressive decoding, token by token.</p>`
      : null;
  const more =
    divergences.length > MOST_DIVERGENCES
      ? `, the first ${MOST_DIVERGENCES} of ${divergences.length}`
      : '';
  return dataTable(
    `Where outputs differ from autoregressive decoding${more} (a margin of at most ${settings.near_tie_margin} is a near-tie)`,
    ['dataset', 'method', 'prompt', 'position', 'margin', 'kind'].map((key) => ({ key })),
    divergences.slice(0, MOST_DIVERGENCES),
  );
}

/** Of an evaluation that was stopped. */
const STATE: Column = { key: 'state' };

const COLUMNS: readonly Column[] = [
  { key: 'dataset' },
  { key: 'method' },
  { key: 'prompts', align: 'right' },
  metricColumn('tokens_per_second'),
  ...SPEEDUP_COLUMNS,
  { key: 'verdict' },
  ...metricColumns('tokens_per_second'),
  { key: 'prefill', title: 'prefill per prompt', align: 'right' },
  { key: 'decode', title: 'decode per prompt', align: 'right' },
  { key: 'memory', title: 'peak memory', align: 'right' },
];

function shownRow(row: RecordedRow, labels: MethodLabels): Row {
  const perPrompt = (seconds: number) =>
    row.prompts > 0 ? formatSeconds(seconds / row.prompts) : null;
  return {
    dataset: row.dataset,
    method: labels.short(row),
    prompts: row.prompts,
    ...figureCells(row.verdict === 'baseline' ? { ...row, speedup_ci95: null } : row, times),
    verdict: row.verdict?.replace(' from 1.0x', ''),
    prefill: perPrompt(row.prefill_seconds),
    decode: perPrompt(row.decode_seconds),
    memory: formatBytes(row.peak_memory_bytes),
    state: row.partial && 'partial',
  };
}
