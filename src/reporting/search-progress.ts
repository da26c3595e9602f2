import type { SearchProgress, SearchStage } from '../search/search-request.js';
import { formatSpeedup } from './format.js';
import { createProgress, type Progress } from './progress.js';

/** Of every stage of a search what it does, and what it counts. */
const LABELS: Readonly<Record<SearchStage, readonly [label: string, unit: string]>> = {
  costs: ['Timing passes', 'drafts'],
  references: ["The model's own continuations", 'prompts'],
  states: ['Hidden states to fit bridges to', 'prompts'],
  sweep: ['Skipping each sublayer by itself', 'passes'],
  plan: ['Planning skips by hidden states', 'sublayers'],
  trials: ['Trials', 'trials'],
  shortlist: ['The best on all calibration prompts', 'masks'],
  finalists: ['Finalists decode the calibration prompts', 'prompts'],
  holdout: ['Winner on held-out prompts', 'generations'],
};

/** A search's stages one after the other on stderr, the best score beside its trials. */
export function createSearchProgress(quiet: boolean) {
  let shown: { readonly stage: SearchStage; readonly progress: Progress } | undefined;
  return {
    update({ stage, done, total, best }: SearchProgress): void {
      if (shown?.stage !== stage) {
        shown?.progress.stop();
        const [label, unit] = LABELS[stage];
        shown = { stage, progress: createProgress({ label, total, done, unit, quiet }) };
      }
      const text = stage === 'trials' && best ? `best ${formatSpeedup(best)}` : undefined;
      shown.progress.update(done, text);
    },
    stop(): void {
      shown?.progress.stop();
    },
  };
}
