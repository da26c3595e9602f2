import type { DraftingName, MethodName } from '../decoding/method.js';
import type { DatasetRecord } from '../evaluation/prompts.js';
import type { EvaluationRow } from '../evaluation/summary.js';
import type { MeasuredFigures } from '../metrics/measured-figures.js';
import { metricsOf } from '../metrics/registry.js';
import type { SkippedRun } from '../profile/draft-plan.js';
import { ruleOf, skipLists } from './found-profile.js';
import type { SearchRequest } from './search-request.js';
import type { SearchResult } from './search-result.js';

/** Measured figures of the winner. */
export interface SearchFigures extends MeasuredFigures {
  readonly verdict: string | null;
}

/** What `sspec search --json` prints. */
export interface SearchDocument {
  readonly study: string;
  /** The prompts searched on and those that the winner was measured on. */
  readonly prompts: Readonly<Record<'calibration' | 'holdout', DatasetRecord>>;
  readonly sampler: string;
  readonly fidelity: string;
  readonly trials: number;
  readonly wall_seconds: number;
  /**
   * Median relative error of the cost model on passes of masks that it was not fitted on, and rank correlation of the
   * finalists' predicted and measured speedups; null at fidelity `decode`, which predicts neither.
   */
  readonly calibration: {
    readonly cost_model_error: number | null;
    readonly rank_correlation: number | null;
  };
  /** What the profile decodes with. */
  readonly method: MethodName;
  readonly best: SearchFigures & {
    /** What the figures, those of `holdout` too, are of. */
    readonly method: DraftingName;
    readonly skip_attention: readonly number[];
    readonly skip_mlp: readonly number[];
    /** Runs of skipped sublayers, from the first to the one after the last, that a linear map stands in for. */
    readonly bridges: readonly (readonly [number, number])[];
    /** Those of them whose map also sees the state of the position before. */
    readonly memories: readonly (readonly [number, number])[];
    /** Words of the draft's head; null = all. */
    readonly head_words: number | null;
    readonly draft_length: number;
    readonly draft_exit: string;
    readonly threshold: number;
    /** What the cheaper rungs promised, corrected by how far they were off for the other finalists. */
    readonly predicted_speedup: number | null;
  };
  readonly holdout: SearchFigures & { readonly per_kind: Readonly<Record<string, SearchFigures>> };
  /** Where the profile was written. */
  readonly profile: string;
}

/** @param started `performance.now()` at the start of the command. */
export function searchDocument(
  study: string,
  request: SearchRequest,
  result: SearchResult,
  profile: string,
  split: Record<'calibration' | 'holdout', { readonly dataset: DatasetRecord }>,
  started: number,
): SearchDocument {
  const { winner, calibration, holdout } = result;
  const perKind = Object.entries(holdout.perKind).map(
    ([kind, row]) => [kind, figures(row)] as const,
  );
  return {
    study,
    prompts: { calibration: split.calibration.dataset, holdout: split.holdout.dataset },
    sampler: request.sampler,
    fidelity: request.fidelity,
    trials: result.trials.length,
    wall_seconds: (performance.now() - started) / 1000,
    calibration: {
      cost_model_error: result.costModelError,
      rank_correlation: result.rankCorrelation,
    },
    method: result.chosen,
    best: {
      method: result.method,
      ...skipLists(winner.plan.mask),
      bridges: winner.plan.bridges.map(runOf),
      memories: winner.plan.bridges.filter(({ memory }) => memory).map(runOf),
      head_words: winner.plan.words?.length ?? null,
      ...ruleOf(winner),
      predicted_speedup: result.predictedSpeedup,
      ...figures(calibration.pooled),
    },
    holdout: { ...figures(holdout.pooled), per_kind: Object.fromEntries(perKind) },
    profile,
  };
}

function runOf({ from, to }: SkippedRun): readonly [number, number] {
  return [from, to];
}

function figures(row: EvaluationRow): SearchFigures {
  const { speedup, speedup_ci95, verdict, prompts, new_tokens } = row;
  return { speedup, speedup_ci95, verdict, ...metricsOf(row), prompts, new_tokens };
}
