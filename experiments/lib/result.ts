/**
 * What an experiment came to, as results/<name>.json has it. Parts are written as they finish and read again by a run that was
 * interrupted, results by the figures and results/README.md; so both are checked like any file.
 */
import { z } from 'zod';
import type { Method } from '../../src/decoding/method.js';
import type { EvaluationDocument } from '../../src/evaluation/document.js';
import type { EvaluationRow } from '../../src/evaluation/summary.js';
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
  draft_length: number,
  threshold: number,
  prompts: z.number(),
  speedup: number,
  speedup_ci95: z.tuple([z.number(), z.number()]).readonly().nullable(),
  verdict: z.string().nullable(),
  divergences: z.array(z.looseObject({ kind: z.string() })).readonly(),
});
export type ResultRow = z.output<typeof rowSchema>;

/** One run: all variants, interleaved. */
const partSchema = z.object({
  precision: z.string(),
  prompt_tokens: number,
  settings: z.looseObject({ max_new_tokens: z.number(), repetitions: z.number() }),
  datasets: z.array(z.looseObject({ name: z.string(), hash: z.string() })).readonly(),
  /** As it was before the first measurement, and what others took of the CPU during it. */
  environment: z.looseObject({
    cpu: z.string(),
    threads: z.number(),
    logical_cores: z.number(),
    model_hash: z.string().optional(),
    load_average: z.array(z.number()).readonly(),
    others_cpu_share: z.number().optional(),
    time: z.string(),
  }),
  rows: z.array(rowSchema).readonly(),
});
export type Part = z.output<typeof partSchema>;

const resultSchema = z.object({
  experiment: z.string(),
  title: z.string(),
  question: z.string(),
  command: z.string(),
  definition: z.object({ file: z.string(), sha256: z.string() }),
  /** What was drafted with: where each profile is from, its mask and rule. */
  profiles: z.record(z.string(), z.looseObject({ source: z.string() })),
  runs: z.array(partSchema.omit({ rows: true })),
  rows: z.array(rowSchema).readonly(),
});
export type ExperimentResult = z.output<typeof resultSchema>;

/** @throws InputError when the file is not what its schema says; undefined when there is none. */
export function readPart(file: string): Part | undefined {
  return readChecked(partSchema, file);
}

/** @throws InputError when the file is not what its schema says; undefined when there is none. */
export function readResult(file: string): ExperimentResult | undefined {
  return readChecked(resultSchema, file);
}

function readChecked<T>(schema: z.ZodType<T>, file: string): T | undefined {
  const value = readJsonFile(file, MAX_RESULT_BYTES);
  return value === undefined ? undefined : parseFields(schema, value, file);
}

/** The part that an evaluation makes. @param methods of the variants, by name. */
export function partOf(
  { precision, settings, datasets, rows, environment }: EvaluationDocument,
  promptTokens: number | null,
  methods: ReadonlyMap<string, Method>,
): Part {
  return {
    precision,
    prompt_tokens: promptTokens,
    settings: { ...settings },
    datasets: datasets.map((dataset) => ({ ...dataset })),
    environment: { ...environment },
    rows: rows.map((row) => rowOf(row, precision, promptTokens, methods.get(row.method))),
  };
}

function rowOf(
  { dataset, method: variant, profile: _, divergences, ...figures }: EvaluationRow,
  precision: string,
  promptTokens: number | null,
  method: Method | undefined,
): ResultRow {
  const drafts = method && 'exit' in method ? method : null;
  const exit = drafts?.exit;
  return {
    precision,
    prompt_tokens: promptTokens,
    dataset,
    variant,
    method: method?.name ?? 'autoregressive',
    draft_exit: exit?.exit ?? null,
    draft_length: drafts?.draftLength ?? null,
    threshold: exit && 'threshold' in exit ? exit.threshold : null,
    fallback: drafts?.fallback !== undefined,
    ...figures,
    divergences: divergences.map((divergence) => ({ ...divergence })),
  };
}
