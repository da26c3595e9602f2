import type { StudyProgress, StudyStage } from '../study/progress.js';
import { formatExit, formatLayers, formatSpeedup } from './format.js';
import { lineWidth, wrapLine } from './width.js';

const STAGES: Readonly<Record<StudyStage, string>> = {
  preparing: 'costs, continuations and plans',
  trials: 'trials',
  race: 'finalists decode the calibration prompts',
  holdout: 'winner on held-out prompts',
  finished: 'finished',
};

/** A study's progress in a few lines for the terminal. */
export function formatStudyProgress(study: string, progress: StudyProgress): string[] {
  const { stage, finished, failed, open, best, generations, trials_per_minute: rate } = progress;
  const counts = [
    `${finished} finished`,
    `${failed} failed`,
    `${open} open`,
    ...(rate === null ? [] : [`${rate.toPrecision(3)} begun a minute`]),
  ];
  const isDecoding = stage === 'race' || stage === 'holdout';
  const lines = [
    `${study}: ${STAGES[stage]}${isDecoding ? `, ${generations} generations measured` : ''}`,
    `trials  ${counts.join(', ')}`,
    ...(best ? [`best    ${bestOf(best)}`] : []),
  ];
  return lines.flatMap((line) => wrapLine(line, lineWidth()));
}

function bestOf(best: NonNullable<StudyProgress['best']>): string {
  const { score, trial, skip_attention, skip_mlp, draft_length, draft_exit, threshold } = best;
  const layers = (list: readonly number[]) => formatLayers(list) || 'none';
  return `${formatSpeedup(score)} in trial ${trial}: skips attention ${layers(skip_attention)}, MLP ${layers(skip_mlp)}; drafts ${draft_length}, ${formatExit(draft_exit, threshold)}`;
}
