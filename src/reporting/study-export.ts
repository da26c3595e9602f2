import type { StudyHeader } from '../study/events.js';
import { type StudyTrial, studyTrials } from '../study/exported-trials.js';
import type { StudyRecord } from '../study/storage.js';
import { type StudySummary, summariseStudy } from '../study/summary.js';
import { toCsv } from './csv.js';

/** Forms of an exported study. */
export type ExportFormat = 'csv' | 'json';

/** A study with all its trials, as JSON has it. */
export interface StudyExport {
  readonly study: string;
  readonly header: StudyHeader;
  /** The last note of every key. */
  readonly notes: StudySummary['notes'];
  readonly trials: readonly StudyTrial[];
}

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

/** @param study its name. */
export function studyExport(study: string, record: StudyRecord): StudyExport {
  const { notes } = summariseStudy(record);
  return { study, header: record.header, notes, trials: studyTrials(record) };
}

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
