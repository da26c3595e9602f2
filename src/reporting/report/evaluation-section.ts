import type { RecordedEvaluation, RecordedRow } from '../../evaluation/results-file.js';
import { POOLED } from '../../evaluation/summary.js';
import { tellable } from '../../evaluation/tellable.js';
import { busyReason } from '../../measurement/busy.js';
import { TOO_FEW } from '../../measurement/few-prompts.js';
import type { Column, Row } from '../columns.js';
import { withoutCommonPrefix } from '../common-prefix.js';
import { acceptanceFigure } from '../figures/acceptance.js';
import { times } from '../figures/axes.js';
import type { Figure } from '../figures/figure.js';
import { speedupFigure } from '../figures/speedups.js';
import { timeFigure } from '../figures/time.js';
import { formatBytes, formatPercent, formatSeconds } from '../format.js';
import { LATENCY_COLUMNS, LATENCY_TITLE, latencyRows } from '../latency.js';
import { type MethodLabels, methodLabels } from '../method-labels.js';
import { figureCells, metricColumn, metricColumns, SPEEDUP_COLUMNS } from '../metric-columns.js';
import { counted, headline } from './headline.js';
import { type Content, html } from './html.js';
import type { EvaluationInput } from './inputs.js';
import { profileFigures } from './profile-section.js';
import {
  commands,
  dataTable,
  facts,
  figureGrid,
  type Headline,
  type Section,
  warningLines,
} from './section.js';
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
  return {
    id,
    title: `Evaluation of ${evaluation.model} in ${evaluation.precision}`,
    headlines: headlines(evaluation, labels),
    figures,
    body: html`
<p>${conditions(evaluation)}</p>
${warnings(evaluation)}
${outputs(evaluation, labels)}
${figureGrid(figures)}
${dataTable(
  'Results of every method on every dataset',
  evaluation.rows.some(({ partial }) => partial) ? [...COLUMNS, STATE] : COLUMNS,
  evaluation.rows.map((row) => shownRow(row, labels)),
)}
${dataTable(
  LATENCY_TITLE,
  LATENCY_COLUMNS,
  latencyRows(evaluation.rows, evaluation.settings.grid !== undefined, labels),
)}
${sideBySide(samples, evaluation.rows, labels)}
<h3>Environment</h3>
${environment(evaluation)}
${commands([...evaluation.profiles.map(({ profile }) => profile.provenance.command), evaluation.command])}`,
  };
}

function pooledRows({ rows }: RecordedEvaluation): readonly RecordedRow[] {
  const pooled = rows.filter(({ dataset }) => dataset === POOLED);
  return pooled.length > 0 ? pooled : rows.filter(({ dataset }) => dataset === rows[0]!.dataset);
}

function isSingle(dataset: string): boolean {
  return dataset !== POOLED;
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

function evaluationFigures(
  id: string,
  evaluation: RecordedEvaluation,
  labels: MethodLabels,
): Figure[] {
  const { rows, profiles } = evaluation;
  const speculative = rows.filter(({ verdict }) => verdict !== 'baseline');
  const pooled = pooledRows(evaluation);
  const datasets = [...new Set(rows.map(({ dataset }) => dataset))].filter(isSingle);
  const names = withoutCommonPrefix(datasets);
  const bars = speculative.flatMap((row) =>
    row.speedup === null
      ? []
      : [
          {
            dataset: names[datasets.indexOf(row.dataset)] ?? row.dataset,
            method: labels.short(row),
            speedup: row.speedup,
            interval: row.speedup_ci95,
          },
        ],
  );
  const curves = pooled
    .filter(({ verdict }) => verdict !== 'baseline')
    .map((row) => ({
      method: labels.short(row),
      conditionalAcceptance: row.conditional_acceptance,
    }));
  return [
    ...profiles.flatMap(({ file, profile }, i) => {
      const suffix = profiles.length > 1 ? `-${i + 1}` : '';
      return profileFigures(`${id}-profile${suffix}`, profile, profiles.length > 1 ? file : null);
    }),
    speedupFigure(`${id}-speedups`, bars),
    timeFigure(
      `${id}-time`,
      pooled.flatMap((row) => timeParts(row, labels.short(row))),
    ),
    acceptanceFigure(`${id}-acceptance`, curves),
  ].filter((figure) => figure !== null);
}

/** Shares are of all time after the first token; tokens_per_second counts the passes alone. */
function timeParts(row: RecordedRow, method: string) {
  const { tokens_per_second: rate, draft_share, verify_share, overhead_share } = row;
  if (!rate || draft_share === null || verify_share === null || overhead_share === null) return [];
  const milliseconds = 1000 / rate / (draft_share + verify_share);
  return [
    {
      method,
      draft: milliseconds * draft_share,
      verify: milliseconds * verify_share,
      overhead: milliseconds * overhead_share,
    },
  ];
}

function conditions(evaluation: RecordedEvaluation): string {
  const { settings, environment } = evaluation;
  const { prompts } = pooledRows(evaluation)[0]!;
  const sampling =
    settings.temperature === 0
      ? 'greedy'
      : `temperature ${settings.temperature}, ${settings.coupling} coupling`;
  return `${counted(prompts, 'prompt')}, each decoded by every method in turn, ${counted(settings.repetitions, 'time')}; ${lengths(settings)}, ${sampling}; ${counted(environment.threads, 'thread')} on ${environment.cpu}.`;
}

function lengths({ max_new_tokens, grid }: RecordedEvaluation['settings']): string {
  if (!grid) return `up to ${max_new_tokens} new tokens`;
  const { prompt_tokens, max_new_tokens: most } = grid;
  const prompts = prompt_tokens === null ? '' : `prompts of ${prompt_tokens.join(', ')} tokens, `;
  return `${prompts}up to ${most.join(', ')} new tokens, a row for each as prompt tokens + most new tokens`;
}

function warnings({ environment, warnings: noted }: RecordedEvaluation): Content {
  const reason = busyReason(environment);
  const busy =
    reason === undefined
      ? null
      : html`<p class="warning" role="note"><strong>The machine was busy</strong> when this was measured (${reason}): timings are noisy, and speedups may be wrong.</p>`;
  return [busy, warningLines(noted)];
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

function environment(evaluation: RecordedEvaluation): Content {
  const { environment: machine, settings, datasets, model, precision } = evaluation;
  const { temperature, top_k, top_p, min_p } = settings;
  return facts([
    ['model', `${model} in ${precision}`],
    ['weights', machine.model_hash],
    [
      'CPU',
      `${machine.cpu}, ${counted(machine.physical_cores, 'physical core')}, ${machine.logical_cores} logical`,
    ],
    ['threads', String(machine.threads)],
    ['memory', formatBytes(machine.memory_bytes)],
    ['system', machine.os],
    [
      'versions',
      `sspec ${machine.sspec}, onnxruntime ${machine.onnxruntime}, Node.js ${machine.node}`,
    ],
    ['load at start', machine.load_average.join(', ')],
    [
      'CPU used by others',
      machine.others_cpu_share === undefined ? null : formatPercent(machine.others_cpu_share),
    ],
    ['measured', `${machine.time.slice(0, 16).replace('T', ' ')} UTC`],
    [
      'repetitions',
      `${settings.repetitions}, after ${counted(settings.warmup, 'generation')} of each method to warm up`,
    ],
    [
      'sampling',
      temperature === 0
        ? 'greedy'
        : `temperature ${temperature}, top-k ${top_k}, top-p ${top_p}, min-p ${min_p}, seed ${settings.seed}, ${settings.coupling} coupling`,
    ],
    ...datasets.map(
      ({ name, version, hash, prompts, split }) =>
        [
          `dataset ${name}`,
          `${counted(prompts, 'prompt')}${split === null ? '' : `, ${split}`}, version ${version}, ${hash}`,
        ] as const,
    ),
  ]);
}
