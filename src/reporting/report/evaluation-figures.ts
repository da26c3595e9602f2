/** The figures of an evaluation, and which of its rows they are of. */
import type { RecordedEvaluation, RecordedRow } from '../../evaluation/results-file.js';
import { POOLED } from '../../evaluation/summary.js';
import { withoutCommonPrefix } from '../common-prefix.js';
import { acceptanceFigure } from '../figures/acceptance.js';
import type { Figure } from '../figures/figure.js';
import { speedupFigure } from '../figures/speedups.js';
import { timeFigure } from '../figures/time.js';
import type { MethodLabels } from '../method-labels.js';
import { profileFigures } from './profile-section.js';

/** The rows of all datasets together, or of the only one. */
export function pooledRows({ rows }: RecordedEvaluation): readonly RecordedRow[] {
  const pooled = rows.filter(({ dataset }) => dataset === POOLED);
  return pooled.length > 0 ? pooled : rows.filter(({ dataset }) => dataset === rows[0]!.dataset);
}

export function isSingle(dataset: string): boolean {
  return dataset !== POOLED;
}

/** @param id begins their names. */
export function evaluationFigures(
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
