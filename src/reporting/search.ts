import type { DatasetRecord } from '../evaluation/prompts.js';
import { isTooFew, TOO_FEW } from '../measurement/few-prompts.js';
import type { SearchDocument, SearchFigures } from '../search/search-document.js';
import { colours } from './colours.js';
import { fittedTable } from './fitted-table.js';
import { formatExit, formatInterval, formatSeconds, formatSpeedup } from './format.js';
import { maskMap } from './mask-map.js';
import { methodSentence } from './method-labels.js';
import { figureCells, metricColumns, SPEEDUP_COLUMNS } from './metric-columns.js';
import { nextStep, type SearchedModel } from './next-step.js';
import { planParts } from './plan-text.js';
import { lineWidth, wrapLine } from './width.js';

/** What a search found, for a terminal: the mask as a map of the layers, the rule, and the figures with their intervals. */
export function formatSearch(
  document: SearchDocument,
  layers: number,
  model: SearchedModel,
): string {
  const { best, holdout } = document;
  const parts = planParts({
    bridges: best.bridges.length,
    memories: best.memories.length,
    headWords: best.head_words,
  });
  const kinds = Object.entries(holdout.per_kind);
  const rows = [
    { measured_on: 'calibration', ...figureCells(best) },
    ...kinds.map(([kind, figures]) => ({
      measured_on: `held out: ${kind}`,
      ...figureCells(figures),
    })),
    { measured_on: 'held out', ...figureCells(holdout) },
  ];
  return [
    ...inLines(
      `${document.trials} trials in ${formatSeconds(document.wall_seconds)} (study ${document.study})`,
    ),
    ...inLines(
      `searched on ${promptsText(document.prompts.calibration)}, confirmed on ${promptsText(document.prompts.holdout)}`,
    ),
    '',
    maskMap(
      { attention: best.skip_attention, mlp: best.skip_mlp },
      layers,
      best.bridges.map(([from, to]) => ({ from, to })),
    ),
    ...(parts === null ? [] : [`drafts have ${parts}`]),
    `the mask drafts up to ${best.draft_length} tokens, ${formatExit(best.draft_exit, best.threshold)}`,
    '',
    fittedTable([{ key: 'measured_on' }, ...SPEEDUP_COLUMNS, ...metricColumns()], rows),
    '',
    ...inLines(headline(methodSentence(best.method), holdout)),
    nextStep(document, model),
  ].join('\n');
}

/** A sentence as wide as the terminal, broken between words. */
function inLines(text: string): string[] {
  return wrapLine(text, lineWidth());
}

/** Which prompts, and how they were put to the model. */
function promptsText({ name, chat_template, system }: DatasetRecord): string {
  if (!chat_template) return `${name} as text to be continued`;
  return `${name} as chat${system === undefined ? '' : ' with a system message'}`;
}

function headline(subject: string, holdout: SearchFigures): string {
  const { speedup, speedup_ci95, verdict, prompts } = holdout;
  if (speedup === null || speedup_ci95 === null) return 'Held out: nothing was timed.';
  if (isTooFew(prompts))
    return `${subject} on held-out prompts: ${colours.yellow(formatSpeedup(speedup))} on ${prompts}, ${TOO_FEW} for an interval or a verdict (autoregressive decoding = 1.00x).`;
  const figures = `${formatSpeedup(speedup)} ${formatInterval(speedup_ci95)}`;
  const paint =
    verdict === 'faster' ? colours.green : verdict === 'slower' ? colours.red : colours.yellow;
  return `${subject} on held-out prompts: ${paint(`${figures}, ${verdict}`)} (autoregressive decoding = 1.00x).`;
}
