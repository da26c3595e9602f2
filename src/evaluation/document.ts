import type { Engine } from '../engine/engine.js';
import type { Model } from '../engine/load-model.js';
import type { Environment } from '../measurement/environment.js';
import type { Profile } from '../profile/schema.js';
import type { AuditRecord } from './audit.js';
import { NEAR_TIE_MARGIN } from './divergence.js';
import type { Grid } from './grid.js';
import type { DatasetRecord } from './prompts.js';
import type { EvaluationResult, EvaluationSettings } from './run.js';
import type { EvaluationRow } from './summary.js';
import { tellable } from './tellable.js';

/** A profile that was measured, whole: its file may change or go. */
export interface MeasuredProfile {
  /** As the rows name it. */
  readonly file: string;
  readonly profile: Profile;
}

/** What made an evaluation. */
export interface EvaluationOrigin {
  /** The command line; null where a program called the library. */
  readonly command: string | null;
  readonly profiles: readonly MeasuredProfile[];
}

/** An evaluation as results.json and `--json` have it. */
export interface EvaluationDocument extends EvaluationOrigin {
  readonly model: string;
  readonly precision: string;
  readonly settings: {
    /** Of a grid the largest. */
    readonly max_new_tokens: number;
    readonly repetitions: number;
    /** Generations of every method before the first that counts. */
    readonly warmup: number;
    readonly temperature: number;
    readonly top_k: number;
    readonly top_p: number;
    readonly min_p: number;
    readonly seed: number;
    readonly coupling: string;
    /** Margin of two logits up to which a divergence is called a near-tie. */
    readonly near_tie_margin: number;
    /** Each of its cells is counted as a part of the dataset, `code:64+32`. */
    readonly grid?: Grid;
  };
  readonly datasets: readonly DatasetRecord[];
  readonly rows: readonly EvaluationRow[];
  readonly environment: Environment;
  /** Sentences that stderr had: a busy machine, a profile from other circumstances, prompts that were left out. */
  readonly warnings: readonly string[];
  /** What was compared and found, of an evaluation with `--audit`. */
  readonly audit?: AuditRecord;
  /** It was stopped before its end: rows that miss something say so, too. */
  readonly partial?: true;
}

/** What an evaluation's document tells beside the result; all of it may be missing. */
export type EvaluationNotes = Partial<
  Pick<EvaluationDocument, 'command' | 'profiles' | 'warnings' | 'audit'>
> & { readonly grid?: Grid | undefined };

/** @param environment as it was before the first measurement, and what others took of the CPU during it. */
export function evaluationDocument(
  { reference, engine }: Pick<Model, 'reference' | 'engine'>,
  { settings, planned }: EvaluationResult,
  datasets: readonly DatasetRecord[],
  rows: readonly EvaluationRow[],
  environment: Environment,
  { command = null, profiles = [], warnings = [], audit, grid }: EvaluationNotes = {},
): EvaluationDocument {
  const { precision } = engine.model;
  return {
    command,
    model: reference,
    precision,
    settings: evaluationSettings(engine, { ...settings, grid }),
    profiles,
    datasets,
    rows: rows.map(tellable),
    environment,
    warnings,
    ...(audit && { audit }),
    ...(planned && { partial: true }),
  };
}

/** How prompts were decoded, as a document says it. */
export function evaluationSettings(
  { model }: Engine,
  settings: EvaluationSettings & { readonly grid?: Grid | undefined },
): EvaluationDocument['settings'] {
  const { maxNewTokens, repetitions, warmup, sampling, coupling, grid } = settings;
  return {
    max_new_tokens: maxNewTokens,
    repetitions,
    warmup,
    temperature: sampling.temperature,
    top_k: sampling.topK,
    top_p: sampling.topP,
    min_p: sampling.minP,
    seed: sampling.seed,
    coupling,
    near_tie_margin: NEAR_TIE_MARGIN[model.precision],
    ...(grid && { grid }),
  };
}
