import { isTooFew, TOO_FEW } from '../measurement/few-prompts.js';
import type { EvaluationRow } from './summary.js';

type Compared = Pick<EvaluationRow, 'prompts' | 'speedup' | 'speedup_ci95' | 'verdict'>;

/** A row as results tell it: of too few prompts without an interval, and with that for a verdict. */
export function tellable<R extends Compared>(row: R): R {
  const isCompared = row.verdict !== 'baseline' && row.speedup !== null;
  if (!isCompared || !isTooFew(row.prompts)) return row;
  return { ...row, speedup_ci95: null, verdict: TOO_FEW };
}
