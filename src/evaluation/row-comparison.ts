import type { ComparedEvaluation } from './compared-file.js';
import { isBaseline, type MethodName, type MethodPair, methodKey } from './compared-methods.js';
import type { ComparedFigure, Comparison, ComparisonRow } from './comparison.js';
import type { RecordedRow } from './results-file.js';
import { POOLED } from './summary.js';

/** The rows of two evaluations of which one has no samples: ratios of the figures that their own rows tell. */
export function compareByRow(
  first: ComparedEvaluation,
  second: ComparedEvaluation,
  pairs: readonly MethodPair[],
): Pick<Comparison, 'rows' | 'notes'> {
  const namesOf = ({ evaluation: { rows } }: ComparedEvaluation) =>
    [...new Set(rows.map(({ dataset }) => dataset))].filter((name) => name !== POOLED);
  const theirs = namesOf(second);
  const names = namesOf(first).filter((name) => theirs.includes(name));
  // Of all together only where both mean the same by it.
  const isWhole = names.length === theirs.length && names.length === namesOf(first).length;
  const rowOf = (side: ComparedEvaluation, dataset: string, name: MethodName) =>
    side.evaluation.rows.find(
      (row) => row.dataset === dataset && methodKey(row) === methodKey(name),
    );
  const rows = [...names, ...(isWhole ? [POOLED] : [])].flatMap((dataset) =>
    pairs.flatMap((pair): ComparisonRow[] => {
      const one = rowOf(first, dataset, pair.first);
      const other = rowOf(second, dataset, pair.second);
      const speed = one && other && plainFigure(one, other, 'tokens_per_second');
      if (!speed) return [];
      const isPlain = isBaseline(pair.first) && isBaseline(pair.second);
      const speedup = isPlain ? null : plainFigure(one, other, 'speedup');
      const unknown = { prompts: null, different_lengths: null };
      return [{ dataset, ...pair, ...unknown, tokens_per_second: speed, speedup }];
    }),
  );
  const without = [first, second].filter(({ timings }) => timings === null);
  return {
    rows,
    notes: [
      `Without the times of single prompts there are neither intervals nor verdicts: no samples.jsonl for ${without.map(({ path }) => path).join(' and ')}.`,
    ],
  };
}

function plainFigure(
  one: RecordedRow,
  other: RecordedRow,
  field: 'tokens_per_second' | 'speedup',
): ComparedFigure | null {
  const first = one[field];
  const second = other[field];
  if (!first || !second) return null;
  return { first, second, ratio: second / first, ratio_ci95: null, verdict: null };
}
