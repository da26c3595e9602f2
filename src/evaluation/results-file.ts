import { z } from 'zod';
import { InputError } from '../errors.js';
import { parseFields, readJsonFile } from '../json-file.js';
import { TOO_FEW } from '../measurement/few-prompts.js';
import { figuresShape } from '../metrics/measured-figures.js';
import { profileSchema } from '../profile/schema.js';

/** Largest results.json that is read: ten thousand rows, and profiles with thousands of masks, fit several times over. */
const MAX_BYTES = 2 ** 26;
const MAX_ROWS = 10_000;
const MAX_DIVERGENCES = 100_000;

const text = z.string().max(10_000);
const name = text.min(1).max(1000);
const count = z.number().min(0).max(1e15);
const share = z.number().min(0).max(1).nullable();
const ratio = z.number().min(0).nullable();
const ratios = z.array(ratio).max(100_000).readonly().default([]);

const percentiles = z.object({ p50: count, p90: count.nullable(), p99: count.nullable() });
const latencies = z.object({
  first_token: percentiles,
  token: percentiles.nullable(),
  request: percentiles,
});

const divergence = z.object({
  prompt: text,
  position: count,
  margin: z.number().nullable(),
  kind: z.enum(['near-tie', 'defect']),
});

const row = z.object({
  dataset: name,
  method: name,
  profile: name.nullable(),
  ...figuresShape,
  repetitions: count,
  prompt_tokens: count.nullable().default(null),
  repetition_tokens_per_second: ratios,
  repetition_speedups: ratios,
  verdict: z
    .enum(['faster', 'slower', 'not distinguishable from 1.0x', TOO_FEW, 'baseline'])
    .nullable(),
  conditional_acceptance: z.array(share).max(1024).readonly(),
  target_passes: count,
  draft_passes: count,
  proposed_tokens: count,
  accepted_tokens: count,
  prefill_seconds: count,
  decode_seconds: count,
  latency_seconds: latencies.nullable().default(null),
  draft_share: z.number().nullable(),
  verify_share: z.number().nullable(),
  overhead_share: z.number().nullable(),
  peak_memory_bytes: count,
  identical_outputs: z.boolean().nullable(),
  divergences: z.array(divergence).max(MAX_DIVERGENCES).readonly(),
  partial: z.literal(true).exactOptional(),
});

const results = z.object({
  command: text.nullable().default(null),
  model: name,
  precision: name,
  settings: z.object({
    max_new_tokens: count,
    repetitions: count,
    warmup: count,
    temperature: count,
    top_k: count,
    top_p: count,
    min_p: count,
    seed: z.number(),
    coupling: name,
    near_tie_margin: count,
    grid: z
      .object({
        prompt_tokens: z.array(count).max(1000).readonly().nullable(),
        max_new_tokens: z.array(count).max(1000).readonly(),
      })
      .exactOptional(),
  }),
  profiles: z
    .array(z.object({ file: name, profile: profileSchema }))
    .max(1000)
    .readonly()
    .default([]),
  datasets: z
    .array(
      z.object({
        name,
        split: name.nullable(),
        version: count,
        hash: name,
        prompts: count,
        chat_template: z.literal(true).exactOptional(),
        system: text.exactOptional(),
      }),
    )
    .max(1000)
    .readonly(),
  rows: z.array(row).min(1).max(MAX_ROWS).readonly(),
  environment: z.object({
    cpu: text,
    physical_cores: count,
    logical_cores: count,
    memory_bytes: count,
    load_average: z.array(count).max(3).readonly(),
    others_cpu_share: z.number().min(0).max(1).optional(),
    os: text,
    node: text,
    onnxruntime: text,
    sspec: text,
    threads: count,
    precision: text,
    model_hash: text.exactOptional(),
    time: z.iso.datetime(),
  }),
  warnings: z.array(text).max(1000).readonly().default([]),
  audit: z
    .object({
      outputs: count,
      tokens: count,
      different_outputs: count,
      near_ties: count,
      defects: count,
      bit_exact: z.boolean(),
    })
    .exactOptional(),
  partial: z.literal(true).exactOptional(),
});

/** An evaluation as its results.json tells it. Files of earlier releases have no command, profiles and latencies. */
export type RecordedEvaluation = z.infer<typeof results>;
/** What one method did on one dataset. */
export type RecordedRow = RecordedEvaluation['rows'][number];

/**
 * Reads a results.json.
 * @throws InputError when it is not there, too large, no JSON, or has a field that does not fit.
 */
export function readResults(file: string): RecordedEvaluation {
  const value = readJsonFile(file, MAX_BYTES);
  if (value === undefined) throw new InputError(`There is no ${file}.`);
  return parseFields(results, value, file);
}
