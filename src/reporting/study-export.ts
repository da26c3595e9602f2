import type { StudyExport, StudyTrial } from '../study/export.js';
import { toCsv } from './csv.js';

/** Forms of an exported study. */
export type ExportFormat = 'csv' | 'json';

/** Columns before the figures, and after them. */
const BEFORE = [
  'trial',
  'state',
  'skip_attention',
  'skip_mlp',
  'draft_length',
  'draft_exit',
  'threshold',
  'score',
  'variance',
] as const satisfies (keyof StudyTrial)[];
const AFTER = ['seconds', 'started', 'reason'] as const satisfies (keyof StudyTrial)[];
const OWN: ReadonlySet<string> = new Set([...BEFORE, ...AFTER]);

/** The text of an export, with a newline at its end. CSV has a row per trial and neither header nor notes. */
export function formatStudyExport(document: StudyExport, format: ExportFormat): string {
  return format === 'csv' ? trialsCsv(document.trials) : `${JSON.stringify(document, null, 2)}\n`;
}

/** A column for every figure of any trial; one that is named as a column of ours is called `figure_...`. */
function trialsCsv(trials: readonly StudyTrial[]): string {
  const figures = [...new Set(trials.flatMap((trial) => Object.keys(trial.figures)))];
  const column = (figure: string) => (OWN.has(figure) ? `figure_${figure}` : figure);
  const rows = trials.map((trial) => ({
    ...Object.fromEntries(figures.map((figure) => [column(figure), trial.figures[figure]])),
    ...Object.fromEntries([...BEFORE, ...AFTER].map((key) => [key, trial[key]])),
  }));
  return toCsv(rows, [...BEFORE, ...figures.map(column), ...AFTER]);
}
