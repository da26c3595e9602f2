import type { TOO_FEW } from '../measurement/few-prompts.js';
import { holmVerdicts, type Verdict } from '../measurement/ratio-estimate.js';
import type { MeasuredFigures } from '../metrics/measured-figures.js';
import { ratio } from '../metrics/metric.js';
import { measureMetrics } from '../metrics/registry.js';
import { type Divergence, outputsMustAgree } from './divergence.js';
import { type Latencies, latencies } from './latency.js';
import { repetitionFigures } from './repetitions.js';
import type { EvaluationPrompt, EvaluationResult, NamedMethod, Sample } from './run.js';
import { measuredSpeedup } from './speedup.js';
import { sumStatistics } from './totals.js';

/** The row of all datasets together. */
export const POOLED = 'all';

/**
 * What one method did on one dataset: a row of results.json, results.csv and `--json`, hence in snake_case. Counts and
 * seconds are those of one repetition (the mean of all); null stands where there is nothing to divide by.
 */
export interface EvaluationRow extends MeasuredFigures {
  /** {@link POOLED} for all together. */
  readonly dataset: string;
  readonly method: string;
  readonly profile: string | null;
  readonly repetitions: number;
  /** Of a prompt, their mean; null in results of a release that did not tell it. */
  readonly prompt_tokens: number | null;
  /** Both figures of each repetition by itself. */
  readonly repetition_tokens_per_second: readonly (number | null)[];
  readonly repetition_speedups: readonly (number | null)[];
  /** Corrected for the number of rows (Holm). Documents have neither interval nor verdict of too few prompts (`tellable`). */
  readonly verdict: Verdict | 'baseline' | typeof TOO_FEW | null;
  /** Element i: the share of the drafted tokens at offset i that were accepted, of those before which all were. */
  readonly conditional_acceptance: readonly (number | null)[];
  readonly target_passes: number;
  readonly draft_passes: number;
  readonly proposed_tokens: number;
  readonly accepted_tokens: number;
  readonly prefill_seconds: number;
  readonly decode_seconds: number;
  /** Of single generations and tokens, all repetitions together; null where nothing was decoded. */
  readonly latency_seconds: Latencies | null;
  /** Shares of the time after the first token: drafting, target passes, and all between them. */
  readonly draft_share: number | null;
  readonly verify_share: number | null;
  readonly overhead_share: number | null;
  /** Of the process, which all methods share, when this one ended. */
  readonly peak_memory_bytes: number;
  /** null with maximal coupling, where outputs may differ. */
  readonly identical_outputs: boolean | null;
  readonly divergences: readonly DivergenceRecord[];
  /** The evaluation was stopped before all generations of this row had ended: the figures are of those that had. */
  readonly partial?: true;
}

/** Where an output left that of autoregressive decoding. */
export interface DivergenceRecord {
  /** The prompt's id. */
  readonly prompt: string;
  /** Among the new tokens, from 0. */
  readonly position: number;
  readonly margin: number | null;
  readonly kind: Divergence['kind'];
}

/**
 * One row per dataset and method and, where there are several datasets, one per method for all of them.
 * @param divergences of `findDivergences`.
 */
export function summarise(
  result: EvaluationResult,
  divergences: readonly Divergence[],
): EvaluationRow[] {
  const names = [...new Set(result.prompts.map((prompt) => prompt.dataset))];
  const groups = names.map((name) => ({
    name,
    prompts: result.prompts.filter((prompt) => prompt.dataset === name),
  }));
  if (groups.length > 1) groups.push({ name: POOLED, prompts: [...result.prompts] });
  const comparisons = groups.length * (result.methods.length - 1);
  const rows = groups.flatMap(({ name, prompts }) =>
    result.methods.map((method) => {
      const isBaseline = method === result.methods[0];
      return {
        row: rowOf(result, name, prompts, method, divergences),
        estimate: isBaseline ? null : measuredSpeedup(result, prompts, method, comparisons),
      };
    }),
  );
  const compared = rows.flatMap(({ estimate }) => estimate ?? []);
  const verdicts = holmVerdicts(compared);
  return rows.map(({ row, estimate }) => {
    if (!estimate) return row;
    const { speedup, ci95, verdict } = verdicts[compared.indexOf(estimate)]!;
    return { ...row, speedup, speedup_ci95: ci95, verdict };
  });
}

function rowOf(
  result: EvaluationResult,
  dataset: string,
  prompts: readonly EvaluationPrompt[],
  method: NamedMethod,
  divergences: readonly Divergence[],
): EvaluationRow {
  const { repetitions } = result.settings;
  const chosen = new Set(prompts);
  const samplesOf = (wanted: NamedMethod) =>
    result.samples.filter((sample) => sample.method === wanted && chosen.has(sample.prompt));
  const baseline = result.methods[0]!;
  const isBaseline = method === baseline;
  const samples = samplesOf(method);
  const plainSamples = samplesOf(baseline);
  const plain = sumStatistics(plainSamples);
  const sum = sumStatistics(samples);
  // Of an evaluation that was stopped not every prompt was decoded as often as the others.
  const perRepetition = (total: number) => (total * prompts.length) / Math.max(1, samples.length);
  // Named are those that rows of earlier releases have elsewhere: columns of CSV keep their order.
  const { tokens_per_second, c, ...metrics } = measureMetrics(
    { ...sum, generations: samples.length },
    { ...plain, generations: plainSamples.length },
  );
  const elapsed = samples.reduce((total, sample) => total + sample.elapsedSeconds, 0);
  const verifyShare = ratio(sum.targetSeconds, elapsed);
  const draftShare = ratio(sum.draftSeconds, elapsed);
  const each = repetitionFigures(repetitions, samples, plainSamples);
  const own = divergences.filter(
    ({ sample }) => sample.method === method && chosen.has(sample.prompt),
  );
  return {
    dataset,
    method: method.name,
    profile: method.profile ?? null,
    prompts: prompts.length,
    repetitions,
    new_tokens: perRepetition(sum.newTokens),
    prompt_tokens: prompts.reduce((sum, { tokens }) => sum + tokens.length, 0) / prompts.length,
    tokens_per_second,
    speedup: isBaseline ? 1 : null,
    speedup_ci95: isBaseline ? [1, 1] : null,
    repetition_tokens_per_second: each.tokens_per_second,
    repetition_speedups: each.speedup,
    verdict: isBaseline ? 'baseline' : null,
    ...metrics,
    conditional_acceptance: sum.reached.map((reached, i) => ratio(sum.acceptedAt[i]!, reached)),
    target_passes: perRepetition(sum.targetPasses),
    draft_passes: perRepetition(sum.draftPasses),
    proposed_tokens: perRepetition(sum.proposedTokens),
    accepted_tokens: perRepetition(sum.acceptedTokens),
    c,
    prefill_seconds: perRepetition(sum.prefillSeconds),
    decode_seconds: perRepetition(sum.decodeSeconds),
    latency_seconds: latencies(samples),
    draft_share: draftShare,
    verify_share: verifyShare,
    overhead_share:
      draftShare === null || verifyShare === null ? null : 1 - draftShare - verifyShare,
    peak_memory_bytes: peakMemory(samples),
    identical_outputs: outputsMustAgree(result) ? own.length === 0 : null,
    divergences: own.map(({ sample, position, margin, kind }) => ({
      prompt: sample.prompt.id,
      position,
      margin,
      kind,
    })),
    ...(isPartial(result, dataset, samples.length) && { partial: true }),
  };
}

function isPartial({ planned }: EvaluationResult, dataset: string, samples: number): boolean {
  if (!planned) return false;
  const { prompts, repetitions } = planned;
  const own = prompts.filter((prompt) => dataset === POOLED || prompt.dataset === dataset);
  return samples < own.length * repetitions;
}

function peakMemory(samples: readonly Sample[]): number {
  return samples.reduce((peak, sample) => Math.max(peak, sample.peakMemoryBytes), 0);
}
