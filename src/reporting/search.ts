import type { SearchDocument, SearchFigures } from '../search/search-document.js';
import { colours } from './colours.js';
import {
  formatExit,
  formatInterval,
  formatNumber,
  formatPercent,
  formatSeconds,
  formatSpeedup,
} from './format.js';
import { maskMap } from './mask-map.js';
import { nextStep, type SearchedModel } from './next-step.js';
import { table } from './table.js';

/** What a search found, for a terminal: the mask as a map of the layers, the rule, and the figures with their intervals. */
export function formatSearch(
  document: SearchDocument,
  layers: number,
  model: SearchedModel,
): string {
  const { best, holdout } = document;
  const kinds = Object.entries(holdout.per_kind);
  const rows = [
    row('calibration', best),
    ...kinds.map(([kind, figures]) => row(`held out: ${kind}`, figures)),
    row('held out', holdout),
  ];
  return [
    `${document.trials} trials in ${formatSeconds(document.wall_seconds)} (study ${document.study})`,
    '',
    maskMap({ attention: best.skip_attention, mlp: best.skip_mlp }, layers),
    `drafts up to ${best.draft_length} tokens, ${formatExit(best.draft_exit, best.threshold)}`,
    '',
    table(
      [
        { key: 'prompts' },
        { key: 'speedup', align: 'right' },
        { key: 'interval', title: '95% interval', align: 'right' },
        { key: 'acceptance', title: 'accepted', align: 'right' },
        { key: 'length', title: 'tokens/pass', align: 'right' },
        { key: 'c', align: 'right' },
        { key: 'rate', title: 'tokens/s', align: 'right' },
      ],
      rows,
    ),
    '',
    headline(holdout),
    nextStep(holdout.verdict, document.profile, model),
  ].join('\n');
}

function headline({ speedup, speedup_ci95, verdict }: SearchFigures): string {
  if (speedup === null || speedup_ci95 === null) return 'Held out: nothing was timed.';
  const figures = `${formatSpeedup(speedup)} ${formatInterval(speedup_ci95)}`;
  const paint =
    verdict === 'faster' ? colours.green : verdict === 'slower' ? colours.red : colours.yellow;
  return `On held-out prompts: ${paint(`${figures}, ${verdict}`)} (autoregressive decoding = 1.00x).`;
}

function row(prompts: string, figures: SearchFigures) {
  const {
    speedup,
    speedup_ci95,
    draft_acceptance_rate,
    mean_acceptance_length,
    c,
    tokens_per_second,
  } = figures;
  const show = (value: number | null, format: (value: number) => string) =>
    value === null ? '-' : format(value);
  return {
    prompts,
    speedup: show(speedup, formatSpeedup),
    interval: speedup_ci95 ? formatInterval(speedup_ci95) : '-',
    acceptance: show(draft_acceptance_rate, formatPercent),
    length: show(mean_acceptance_length, (value) => value.toFixed(2)),
    c: show(c, (value) => value.toFixed(2)),
    rate: show(tokens_per_second, formatNumber),
  };
}
