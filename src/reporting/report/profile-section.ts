import { basename } from 'node:path';
import { isTooFew } from '../../measurement/few-prompts.js';
import type { Profile, ProfileFigures } from '../../profile/schema.js';
import type { Column, Row } from '../columns.js';
import { times } from '../figures/axes.js';
import type { Figure } from '../figures/figure.js';
import { maskFigure } from '../figures/mask.js';
import { paretoFigure } from '../figures/pareto.js';
import { speedupFigure } from '../figures/speedups.js';
import { formatExit } from '../format.js';
import { methodSentence } from '../method-labels.js';
import { figureCells, metricColumn, metricColumns, SPEEDUP_COLUMNS } from '../metric-columns.js';
import { calibrationName } from '../profile-text.js';
import { counted, headline, verdictOf } from './headline.js';
import { type Content, html } from './html.js';
import type { ProfileInput } from './inputs.js';
import { commands, dataTable, facts, figureGrid, type Section, warningLines } from './section.js';

/** What a profile says of itself. `id` also begins the names of its figures. */
export function profileSection(id: string, { path, profile }: ProfileInput): Section {
  const { holdout } = profile.figures;
  const figures = [speedups(id, profile), ...profileFigures(id, profile, null)].filter(
    (figure) => figure !== null,
  );
  const { draft } = profile;
  return {
    id,
    title: `Profile ${basename(path)}`,
    headlines: holdout
      ? [
          headline({
            subject: `${methodSentence(profile.figures.method ?? 'skip')} with ${basename(path)}`,
            speedup: holdout.speedup,
            interval: holdout.speedup_ci95,
            verdict: verdictOf(holdout.speedup_ci95, holdout.prompts),
            prompts: counted(holdout.prompts, 'held-out prompt'),
          }),
        ]
      : [],
    figures,
    body: html`
<p>It decodes with ${profile.method ?? 'skip'}. The mask's draft proposes up to ${counted(draft.draft_length, 'token')} a round, ${formatExit(draft.draft_exit, draft.threshold)}.</p>
${warningLines(profile.provenance.warnings ?? [])}
${figureGrid(figures)}
${dataTable('Measured figures of the profile', COLUMNS, measuredRows(profile))}
<h3>Where it comes from</h3>
${origin(profile)}
${commands([profile.provenance.command])}`,
  };
}

/**
 * A profile's mask, and its Pareto front.
 * @param label names the profile in the titles, where there are several.
 */
export function profileFigures(id: string, profile: Profile, label: string | null): Figure[] {
  const { skip_attention: attention, skip_mlp: mlp, model, figures } = profile;
  const { holdout } = figures;
  const points = profile.pareto.map(({ c, draft_acceptance_rate }) => ({
    c,
    acceptance: draft_acceptance_rate,
  }));
  const isOfMask = holdout && (figures.method ?? 'skip') === 'skip';
  const chosen =
    isOfMask && holdout.c !== null && holdout.draft_acceptance_rate !== null
      ? { c: holdout.c, acceptance: holdout.draft_acceptance_rate }
      : null;
  return [
    maskFigure(`${id}-mask`, { attention, mlp }, model.layers),
    paretoFigure(`${id}-pareto`, points, chosen, 'The front is what the search saw of its trials.'),
  ]
    .filter((figure) => figure !== null)
    .map((figure) => (label === null ? figure : { ...figure, title: `${figure.title}: ${label}` }));
}

function speedups(id: string, { figures: { holdout, method = 'skip' } }: Profile): Figure | null {
  if (!holdout) return null;
  const kinds = Object.entries(holdout.per_kind ?? {});
  return speedupFigure(
    `${id}-speedups`,
    [...kinds, ['all', holdout] as const].map(([dataset, { speedup, speedup_ci95, prompts }]) => ({
      dataset,
      method,
      speedup,
      interval: isTooFew(prompts) ? null : speedup_ci95,
    })),
  );
}

const COLUMNS: readonly Column[] = [
  { key: 'measured_on' },
  { key: 'prompts', align: 'right' },
  metricColumn('tokens_per_second'),
  ...SPEEDUP_COLUMNS,
  ...metricColumns('tokens_per_second'),
];

function measuredRows({ figures: { holdout, calibration } }: Profile): Row[] {
  const rows: [string, ProfileFigures][] = [];
  for (const [kind, figures] of Object.entries(holdout?.per_kind ?? {}))
    rows.push([`held out: ${kind}`, figures]);
  if (holdout) rows.push(['held out', holdout]);
  if (calibration) rows.push([calibrationName(calibration, holdout), calibration]);
  return rows.map(([measured_on, figures]) => ({
    measured_on,
    prompts: figures.prompts,
    ...figureCells(figures, times),
  }));
}

function origin({ model, precision, provenance, sampling }: Profile): Content {
  const { machine, threads, dataset, holdout, study, sampler, trials, seed } = provenance;
  const { node, onnxruntime } = provenance;
  return facts([
    [
      'model',
      `${model.reference ?? model.architecture} in ${precision}, ${counted(model.layers, 'layer')}`,
    ],
    ['weights', model.weights_hash],
    ['study', study],
    ['sampler', sampler],
    ['trials', trials === undefined ? null : String(trials)],
    ['seed', seed === undefined ? null : String(seed)],
    [
      'sampling',
      sampling && sampling.temperature > 0 ? `temperature ${sampling.temperature}` : 'greedy',
    ],
    ['searched on', dataset && `${dataset.name}, ${dataset.hash}`],
    ['confirmed on', holdout && `${holdout.name}, ${holdout.hash}`],
    [
      'machine',
      `${machine.cpu}, ${counted(machine.cores, 'physical core')}, ${counted(threads, 'thread')}`,
    ],
    ['versions', node && onnxruntime && `onnxruntime ${onnxruntime}, Node.js ${node}`],
    [
      'made',
      `${provenance.created.slice(0, 16).replace('T', ' ')} UTC by sspec ${provenance.tool_version}`,
    ],
  ]);
}
