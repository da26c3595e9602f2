import type { Profile, ProfileFigures } from '../profile/schema.js';
import { fittedTable } from './fitted-table.js';
import { formatExit } from './format.js';
import { maskMap } from './mask-map.js';
import { figureCells, metricColumns, SPEEDUP_COLUMNS } from './metric-columns.js';
import { planParts } from './plan-text.js';
import { lineWidth, wrapLine } from './width.js';

/**
 * A profile for the terminal: the mask as a map, how it drafts, what it was measured to give, where it comes from.
 * @param width another width than the terminal's.
 */
export function profileText(profile: Profile, width = lineWidth()): string {
  const { model, draft, precision, sampling } = profile;
  const mask = { attention: profile.skip_attention, mlp: profile.skip_mlp };
  const head = [
    `${model.reference ?? model.architecture}, ${model.layers} layers, ${precision}, weights ${model.weights_hash.replace(/^sha256:/, '').slice(0, 12)}`,
    methodText(profile),
    ...planText(profile),
    `the mask drafts up to ${draft.draft_length} tokens, ${formatExit(draft.draft_exit, draft.threshold)}, ${samplingText(sampling)}`,
  ];
  const map = maskMap(mask, model.layers, profile.bridges, width);
  return [head.join('\n'), map, figuresText(profile, width), originText(profile, width)]
    .filter((part) => part !== '')
    .join('\n\n');
}

function methodText({ method = 'skip', figures }: Profile): string {
  const { method: measured = 'skip' } = figures;
  return method === measured
    ? `decodes with ${method}`
    : `decodes with ${method}: ${measured}, the fastest way of drafting that was found, did not gain`;
}

function planText({ bridges = [], head_words, model, draft_weights }: Profile): string[] {
  if (!draft_weights) return [];
  const parts = planParts({
    bridges: bridges.length,
    memories: bridges.filter(({ memory }) => memory).length,
    headWords: head_words ?? null,
    vocabSize: model.vocab_size,
  });
  return [`drafts have ${parts}, from ${draft_weights.file}`];
}

function samplingText(sampling: Profile['sampling']): string {
  if (!sampling || sampling.temperature === 0) return 'for greedy decoding';
  const options = Object.entries(sampling).map(([name, value]) => `${name} ${value}`);
  return `for sampling with ${options.join(', ')}`;
}

/** What a row of calibration figures is called: held-out figures show whether being chosen for them has raised them. */
export function calibrationName(
  calibration: ProfileFigures,
  holdout: ProfileFigures | undefined,
): string {
  const isAbove = holdout === undefined || calibration.speedup > holdout.speedup;
  return `calibration (${isAbove ? 'biased upward' : 'searched on'})`;
}

function figuresText({ figures: { holdout, calibration } }: Profile, width: number): string {
  const rows: [string, ProfileFigures][] = [];
  if (holdout) rows.push(['held out', holdout]);
  for (const [kind, figures] of Object.entries(holdout?.per_kind ?? {}))
    rows.push([`  ${kind}`, figures]);
  if (calibration) rows.push([calibrationName(calibration, holdout), calibration]);
  if (rows.length === 0) return 'Not measured: sspec eval --profile measures it.';
  return fittedTable(
    [
      { key: 'measured_on' },
      ...SPEEDUP_COLUMNS,
      ...metricColumns(),
      { key: 'prompts', align: 'right' },
    ],
    rows.map(([measured_on, figures]) => ({
      measured_on,
      ...figureCells(figures),
      prompts: figures.prompts,
    })),
    width,
  );
}

function originText({ provenance, pareto }: Profile, width: number): string {
  const { created, tool_version, study, sampler, trials, seed, machine, threads } = provenance;
  const { node, onnxruntime, warnings = [] } = provenance;
  const found = [
    study && `study ${study}`,
    sampler && `sampler ${sampler}`,
    trials !== undefined && `${trials} trials`,
    seed !== undefined && `seed ${seed}`,
  ].filter((part) => typeof part === 'string');
  const data = [
    provenance.dataset && `searched on ${provenance.dataset.name}`,
    provenance.holdout && `confirmed on ${provenance.holdout.name}`,
  ].filter((part) => typeof part === 'string');
  const lines = [
    `made ${created.slice(0, 10)} by sspec ${tool_version}${found.length > 0 ? `: ${found.join(', ')}` : ''}`,
    ...(data.length > 0 ? [data.join(', ')] : []),
    `on ${machine.cpu}, ${machine.cores} cores, ${threads} threads`,
    ...(node && onnxruntime ? [`with Node.js ${node}, onnxruntime ${onnxruntime}`] : []),
    ...warnings.map((warning) => `warned: ${warning}`),
  ];
  return [
    ...lines.flatMap((line) => wrapLine(line, width)),
    // In one piece, to be copied.
    `command: ${provenance.command}`,
    ...(pareto.length > 0 ? [`${pareto.length} masks in its Pareto set`] : []),
  ].join('\n');
}
