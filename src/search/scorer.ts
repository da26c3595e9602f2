import type { EvaluationPrompt } from '../evaluation/run.js';
import type { Candidate, SearchSpace } from '../optimise/candidate.js';
import { finalistMethod, plainFinalist } from './finalist.js';
import {
  journalFigures,
  type Measurement,
  type MeasureOptions,
  measure,
  scoreOf,
} from './measure.js';

/** What a trial came to. */
export interface Scored {
  /** With the draft-length rule that the score is for. */
  readonly candidate: Candidate;
  /** A speedup; more is better. */
  readonly score: number;
  readonly variance: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** A rung of the fidelity ladder on which a sampler's proposals are scored. */
export interface Scorer {
  /** What a sampler varies beside the mask: `'search'`, or a rule that the score replaces by the best one it finds. */
  readonly draft: SearchSpace['draft'];
  score(candidate: Candidate): Promise<Scored>;
  close(): Promise<void>;
}

/** Scores by real decoding, interleaved with autoregressive runs, as the paper's search does. */
export function decodeScorer(
  model: Parameters<typeof measure>[0],
  prompts: readonly EvaluationPrompt[],
  options: MeasureOptions,
): Scorer {
  // The machine is warm after the first trial.
  let { warmup } = options.settings;
  return {
    draft: 'search',
    async score(candidate) {
      const settings = { ...options.settings, warmup };
      const [measurement] = (await measure(
        model,
        prompts,
        [finalistMethod(plainFinalist(candidate))],
        {
          ...options,
          settings,
        },
      )) as [Measurement];
      warmup = 0;
      return { candidate, ...scoreOf(measurement), figures: journalFigures(measurement) };
    },
    async close() {},
  };
}
