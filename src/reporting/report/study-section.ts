import { drafterKind, isDrafterName } from '../../decoding/drafters/registry.js';
import { isTooFew } from '../../measurement/few-prompts.js';
import { rankCorrelation } from '../../measurement/statistics.js';
import { eachMetric } from '../../metrics/registry.js';
import { bitsToMask } from '../../profile/mask.js';
import type { StudyHeader } from '../../study/events.js';
import { type NotedFinalist, type StudyNotes, studyNotes } from '../../study/notes.js';
import { costAcceptance } from '../../study/pareto.js';
import { type StudySummary, summariseStudy } from '../../study/summary.js';
import type { Column, Row } from '../columns.js';
import { times } from '../figures/axes.js';
import { fidelityFigure } from '../figures/fidelity.js';
import type { Figure } from '../figures/figure.js';
import { maskFigure } from '../figures/mask.js';
import { paretoFigure } from '../figures/pareto.js';
import { traceFigure } from '../figures/trace.js';
import { formatExit, formatPercent } from '../format.js';
import { methodSentence } from '../method-labels.js';
import { figureCells, metricColumns, metricText, SPEEDUP_COLUMNS } from '../metric-columns.js';
import { counted, headline, verdictOf } from './headline.js';
import { type Content, html } from './html.js';
import type { StudyInput } from './inputs.js';
import { commands, dataTable, facts, figureGrid, type Headline, type Section } from './section.js';

/** What a search did. `id` also begins the names of its figures. */
export function studySection(id: string, { path, record }: StudyInput): Section {
  const { header } = record;
  const summary = summariseStudy(record);
  const notes = studyNotes(summary, header, path);
  const figures = studyFigures(id, header, summary, notes);
  return {
    id,
    title: `Study ${header.study}`,
    headlines: headlines(notes),
    figures,
    body: html`
<p>${progress(summary, notes)}</p>
${figureGrid(figures)}
${dataTable('Finalists: what the cheaper rung predicted, and what decoding the calibration prompts showed', COLUMNS, finalistRows(notes))}
${ablationTable(notes)}
<h3>The search</h3>
${searchFacts(header, summary, notes)}
${commands([notes.command])}`,
  };
}

function headlines({ holdout }: StudyNotes): Headline[] {
  if (!holdout || holdout.speedup === null || holdout.speedup_ci95 === null) return [];
  return [
    headline({
      subject: `${methodSentence(holdout.method)} with what was found`,
      speedup: holdout.speedup,
      interval: holdout.speedup_ci95,
      verdict: verdictOf(holdout.speedup_ci95, holdout.prompts),
      prompts: counted(holdout.prompts, 'held-out prompt'),
    }),
  ];
}

function progress({ finished, failed, open }: StudySummary, { holdout }: StudyNotes): string {
  const counts = [
    `${counted(finished.length, 'trial')} finished`,
    failed > 0 ? `${failed} failed` : null,
    open > 0 ? `${open} open` : null,
  ].filter((part) => part !== null);
  const state = holdout
    ? 'the winner was measured on held-out prompts, which no trial saw'
    : 'nothing has been measured on held-out prompts yet, so that there is no headline';
  return `${counts.join(', ')}; ${state}.`;
}

function studyFigures(
  id: string,
  header: StudyHeader,
  { finished }: StudySummary,
  { finalists = [], holdout }: StudyNotes,
): Figure[] {
  const best = finished[0];
  const mask = holdout
    ? bitsToMask(Uint8Array.from(holdout.mask, Number))
    : best && { attention: best.skip_attention, mlp: best.skip_mlp };
  const found = mask ? maskFigure(`${id}-mask`, mask, header.bits / 2) : null;
  const title = holdout
    ? 'Sublayers that the winner runs'
    : 'Sublayers that the best trial so far runs';
  const points = finished.flatMap((trial) => costAcceptance(trial.figures) ?? []);
  // What was measured of another method than drafting with the mask is no point of these.
  const chosen =
    holdout?.method !== 'skip' ||
    holdout.c === undefined ||
    holdout.draft_acceptance_rate === undefined
      ? null
      : { c: holdout.c, acceptance: holdout.draft_acceptance_rate };
  const isLadder = fidelityOf(header) === 'ladder';
  return [
    found && { ...found, title },
    traceFigure(`${id}-trace`, finished, isLadder ? 'ladder' : 'decode'),
    fidelityFigure(
      `${id}-fidelity`,
      finalists.flatMap(
        ({ predicted_speedup: predicted, speedup: measured, speedup_ci95, prompts }) => {
          if (predicted === undefined || measured === null) return [];
          return [{ predicted, measured, interval: isTooFew(prompts) ? null : speedup_ci95 }];
        },
      ),
      isLadder ? 'replay and the cost model' : 'the sampler’s model of the scores',
    ),
    paretoFigure(
      `${id}-pareto`,
      points,
      chosen,
      isLadder
        ? 'Trials are shown as replay and the cost model predict them.'
        : 'Trials are shown as decoding a part of the calibration prompts measured them.',
    ),
  ].filter((figure) => figure !== null && figure !== undefined);
}

const COLUMNS: readonly Column[] = [
  { key: 'finalist' },
  { key: 'method' },
  { key: 'skipped', title: 'skipped (attention + MLP)' },
  { key: 'rule', title: 'draft length' },
  { key: 'predicted', align: 'right' },
  ...SPEEDUP_COLUMNS,
  ...metricColumns(),
  { key: 'prompts', align: 'right' },
];

function finalistRows({ finalists = [], holdout }: StudyNotes): Row[] {
  const ranked = [...finalists].sort((a, b) => (b.speedup ?? 0) - (a.speedup ?? 0));
  const rows = ranked.map((finalist, i) => finalistRow(`finalist ${i + 1}`, finalist));
  return holdout ? [finalistRow('winner, held out', holdout), ...rows] : rows;
}

function finalistRow(finalist: string, noted: NotedFinalist): Row {
  const { attention, mlp } = bitsToMask(Uint8Array.from(noted.mask, Number));
  const { predicted_speedup: predicted } = noted;
  return {
    finalist,
    method: noted.method,
    // A method that drafts without a mask is noted with the best one.
    ...((!isDrafterName(noted.method) || drafterKind(noted.method).needsMask) && {
      skipped: `${attention.length} + ${mlp.length}`,
      rule: `up to ${noted.draft_length}, ${formatExit(noted.draft_exit, noted.threshold)}`,
    }),
    predicted: predicted === undefined ? null : times(predicted),
    ...figureCells(noted, times),
    prompts: noted.prompts,
  };
}

const ABLATION_COLUMNS: readonly Column[] = [
  { key: 'plan' },
  { key: 'predicted', align: 'right' },
  ...metricColumns('tokens_per_second'),
];

/** Of a plan that is more than its mask. */
function ablationTable({ ablation }: StudyNotes): Content {
  if (!ablation) return html``;
  const rows = ablation.map(
    ({ bridges, memories, head_words: words, predicted_speedup, ...figures }) => ({
      plan: [
        'mask',
        bridges > 0 && 'bridges',
        memories > 0 && 'memory',
        words !== null && `head of ${counted(words, 'word')}`,
      ]
        .filter((part) => part !== false)
        .join(' + '),
      predicted: times(predicted_speedup),
      ...eachMetric((name) => metricText(name, { tokens_per_second: null, ...figures }[name])),
    }),
  );
  return dataTable(
    'What the parts of the most promising plan give to drafts alone, as replay predicts it: each row with the draft length that is best for it',
    ABLATION_COLUMNS,
    rows,
  );
}

function searchFacts(header: StudyHeader, summary: StudySummary, notes: StudyNotes): Content {
  const { context } = header;
  const best = summary.finished[0];
  const errors = notes.cost_model?.error;
  const pairs = (notes.finalists ?? []).flatMap(({ predicted_speedup: predicted, speedup }) =>
    predicted === undefined || speedup === null ? [] : [{ predicted, speedup }],
  );
  const correlation = rankCorrelation(
    pairs.map(({ predicted }) => predicted),
    pairs.map(({ speedup }) => speedup),
  );
  return facts([
    ['sampler', header.sampler],
    ['seed', String(header.seed)],
    ['begun', `${header.created.slice(0, 16).replace('T', ' ')} UTC`],
    [
      'best score',
      best &&
        `${times(best.score)} in trial ${best.trial}${summary.finished.length > 1 ? '; the best of many is biased upward' : ''}`,
    ],
    [
      'cost model',
      errors &&
        `median error ${formatPercent(errors.draft)} on draft passes and ${formatPercent(errors.target)} on target passes of masks that it was not fitted on`,
    ],
    [
      'rank correlation',
      correlation === undefined
        ? null
        : `${correlation.toFixed(2)} between predicted and measured speedups of ${pairs.length} finalists`,
    ],
    ...Object.entries(context).map(
      ([key, value]) => [key.replaceAll('_', ' '), contextText(value)] as const,
    ),
  ]);
}

/** `ladder` or `decode`; studies of before there was a ladder decode. */
function fidelityOf({ context }: StudyHeader): string {
  return context.fidelity === 'ladder' ? 'ladder' : 'decode';
}

/** A dataset as its name and hash, anything else as it is. */
function contextText(value: StudyHeader['context'][string]): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.values(value)
    .map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
    .join(', ');
}
