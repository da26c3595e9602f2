import type { EvaluationRow } from '../evaluation/summary.js';
import { FEWEST_PROMPTS, TOO_FEW } from '../measurement/few-prompts.js';

type Verdict = EvaluationRow['verdict'];

const UNDECIDED = 'not distinguishable from 1.0x' satisfies Verdict;

/** A verdict in a table, so short that a row takes one line; JSON and CSV have it in full. */
export function shownVerdict(verdict: Verdict): string | null {
  return verdict === UNDECIDED ? 'unclear' : verdict;
}

/** What explains the verdicts of a table, below it. */
export function verdictNotes(verdicts: readonly Verdict[]): string[] {
  return [
    ...(verdicts.includes(UNDECIDED)
      ? [`unclear: ${UNDECIDED}, all comparisons taken together; an interval is of one alone.`]
      : []),
    ...(verdicts.includes(TOO_FEW)
      ? [`${TOO_FEW}: an interval and a verdict need ${FEWEST_PROMPTS} prompts or more.`]
      : []),
  ];
}
