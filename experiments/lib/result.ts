/** What an experiment came to, as results/<name>.json has it, and as its figure and results/README.md read it again. */
import { z } from 'zod';
import type { Method } from '../../src/decoding/method.js';
import { type EvaluationRow, POOLED } from '../../src/evaluation/summary.js';
import { parseFields, readJsonFile } from '../../src/json-file.js';

const MAX_RESULT_BYTES = 64 * 2 ** 20;

const number = z.number().nullable();

/** A variant on a dataset, at a precision and a prompt length; `sspec eval`'s fields, of which these are relied on. */
const rowSchema = z.looseObject({
  precision: z.string(),
  /** null: prompts as they are. */
  prompt_tokens: number,
  dataset: z.string(),
  variant: z.string(),
  method: z.string(),
  draft_exit: z.string().nullable(),
  ...{ draft_length: number, threshold: number, speedup: number },
  speedup_ci95: z.tuple([z.number(), z.number()]).readonly().nullable(),
  divergences: z.array(z.looseObject({ kind: z.string() })).readonly(),
});
export type ResultRow = z.output<typeof rowSchema>;

const resultSchema = z.looseObject({
  ...{ experiment: z.string(), title: z.string(), question: z.string(), command: z.string() },
  definition: z.object({ file: z.string(), sha256: z.string() }),
  /** What was drafted with: where each profile is from, its mask and rule. */
  profiles: z.record(z.string(), z.looseObject({ source: z.string() })),
  /** One for each precision and prompt length: all variants, interleaved. */
  runs: z.array(
    z.looseObject({
      precision: z.string(),
      prompt_tokens: number,
      /** As it was before the first measurement, and what others took of the CPU during it. */
      environment: z.looseObject({
        logical_cores: z.number(),
        load_average: z.array(z.number()).readonly(),
        others_cpu_share: z.number().optional(),
      }),
    }),
  ),
  rows: z.array(rowSchema).readonly(),
});
export type ExperimentResult = z.output<typeof resultSchema>;

/** @throws InputError when the file is not what its schema says; undefined when there is none. */
export function readResult(file: string): ExperimentResult | undefined {
  const value = readJsonFile(file, MAX_RESULT_BYTES);
  return value === undefined ? undefined : parseFields(resultSchema, value, file);
}

/** The row of a variant. @param method what it decodes with; undefined for autoregressive decoding. */
export function resultRow(
  {
    dataset,
    method: variant,
    profile: _,
    prompt_tokens: _mean,
    divergences,
    ...figures
  }: EvaluationRow,
  precision: string,
  promptTokens: number | null,
  method: Method | undefined,
): ResultRow {
  const drafts = method && 'exit' in method ? method : null;
  const exit = drafts?.exit;
  return {
    ...{ precision, prompt_tokens: promptTokens, dataset, variant },
    method: method?.name ?? 'autoregressive',
    draft_exit: exit?.exit ?? null,
    draft_length: drafts?.draftLength ?? null,
    threshold: exit && 'threshold' in exit ? exit.threshold : null,
    fallback: drafts?.fallback !== undefined,
    ...figures,
    divergences: divergences.map((divergence) => ({ ...divergence })),
  };
}

/** A row of a variant, with a speedup. */
export type MeasuredRow = ResultRow & { readonly speedup: number };

/** Without autoregressive decoding, and what made too few tokens to be timed. */
export function measuredRows(rows: readonly ResultRow[]): MeasuredRow[] {
  return rows.filter(
    (row): row is MeasuredRow => row.speedup !== null && row.method !== 'autoregressive',
  );
}

/** Of them those that count all prompts: all datasets together, where there are several. */
export function pooledRows(rows: readonly ResultRow[]): MeasuredRow[] {
  const pooled = rows.some(({ dataset }) => dataset === POOLED) ? POOLED : rows[0]?.dataset;
  return measuredRows(rows).filter(({ dataset }) => dataset === pooled);
}
