import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordedEvaluation, RecordedRow } from '../../../src/evaluation/results-file.js';
import type { RecordedSample } from '../../../src/evaluation/samples-file.js';
import { journalStorage } from '../../../src/study/journal.js';
import { noMetrics } from '../../helpers/no-metrics.js';
import { exampleProfile } from '../../profile/example.js';

const BASELINE: RecordedRow = {
  ...noMetrics,
  dataset: 'code',
  method: 'autoregressive',
  profile: null,
  prompts: 40,
  repetitions: 3,
  prompt_tokens: 12,
  new_tokens: 400,
  tokens_per_second: 500,
  speedup: 1,
  speedup_ci95: [1, 1],
  repetition_tokens_per_second: [],
  repetition_speedups: [],
  verdict: 'baseline',
  draft_acceptance_rate: null,
  mean_acceptance_length: 1,
  conditional_acceptance: [],
  target_passes: 360,
  draft_passes: 0,
  proposed_tokens: 0,
  accepted_tokens: 0,
  c: null,
  prefill_seconds: 0.4,
  decode_seconds: 0.72,
  latency_seconds: {
    first_token: { p50: 0.01, p90: 0.011, p99: 0.02 },
    token: { p50: 0.002, p90: 0.0022, p99: 0.003 },
    request: { p50: 0.03, p90: 0.031, p99: 0.035 },
  },
  draft_share: 0,
  verify_share: 0.98,
  overhead_share: 0.02,
  peak_memory_bytes: 2 ** 28,
  identical_outputs: true,
  divergences: [],
};

const SKIP: RecordedRow = {
  ...BASELINE,
  method: 'skip',
  profile: 'profiles/code.json',
  tokens_per_second: 400,
  speedup: 0.8,
  speedup_ci95: [0.75, 0.86],
  verdict: 'slower',
  draft_acceptance_rate: 0.875,
  mean_acceptance_length: 2.4,
  conditional_acceptance: [0.9, 0.8, null],
  c: 0.61,
  draft_share: 0.5,
  verify_share: 0.45,
  overhead_share: 0.05,
};

/** An evaluation of a baseline and a skip profile, slower, on held-out prompts. */
export const evaluation: RecordedEvaluation = {
  command: 'sspec eval --profile profiles/code.json',
  model: 'demo',
  precision: 'int8',
  settings: {
    max_new_tokens: 128,
    repetitions: 3,
    warmup: 2,
    temperature: 0,
    top_k: 0,
    top_p: 1,
    min_p: 0,
    seed: 0,
    coupling: 'gumbel',
    near_tie_margin: 0.25,
  },
  profiles: [{ file: 'profiles/code.json', profile: exampleProfile }],
  datasets: [{ name: 'code', split: 'heldout', version: 1, hash: 'abc', prompts: 40 }],
  rows: [BASELINE, SKIP],
  environment: {
    cpu: 'Some CPU',
    physical_cores: 2,
    logical_cores: 4,
    memory_bytes: 2 ** 34,
    load_average: [0.1, 0.2, 0.3],
    os: 'Linux',
    node: '20.0.0',
    onnxruntime: '1.30.0',
    sspec: '0.1.0',
    threads: 2,
    precision: 'int8',
    model_hash: '0123',
    time: '2026-01-02T03:04:05.678Z',
  },
  warnings: [],
};

const PLAIN: RecordedSample = {
  dataset: 'code',
  prompt: 'c-1',
  prompt_text: 'def f(x):',
  method: 'autoregressive',
  profile: null,
  repetition: 0,
  new_tokens: 6,
  decode_seconds: 0.01,
  target_passes: 5,
  proposed_tokens: 0,
  accepted_tokens: 0,
  text: ' return x + 1',
  pieces: [' return', ' x', ' ', '+', ' ', '1'],
  rounds: { drafted: [0, 0, 0, 0, 0], accepted: [0, 0, 0, 0, 0] },
};

/** Six tokens: the first, two accepted, one in place of a rejected one, one accepted and one of the target's own. */
export const samples: readonly RecordedSample[] = [
  PLAIN,
  {
    ...PLAIN,
    method: 'skip',
    profile: 'profiles/code.json',
    target_passes: 2,
    proposed_tokens: 4,
    accepted_tokens: 3,
    rounds: { drafted: [3, 1], accepted: [2, 1] },
  },
];

/** Writes an evaluation's folder, as `sspec eval --output-dir` does; `changes` go over the results. */
export function writeEvaluationFolder(folder: string, changes: object = {}): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), JSON.stringify({ ...evaluation, ...changes }));
  const lines = samples.map((sample) => `${JSON.stringify(sample)}\n`);
  writeFileSync(join(folder, 'samples.jsonl'), lines.join(''));
  return folder;
}

export const SCORES = [0.8, 0.95, 0.9, 1.2];

/** A study of four trials over two layers; `notes` are those of a search that is done where nothing else is given. */
export async function writeStudy(
  folder: string,
  name: string,
  notes: Readonly<Record<string, unknown>> = NOTES,
): Promise<string> {
  const context = { fidelity: 'ladder', dataset: { name: 'calibration', hash: 'abc' } };
  const start = { sampler: 'bo', seed: 7, bits: 4, context };
  const study = await journalStorage(folder).open(name, start, { resume: false });
  const rule = { draft_exit: 'fixed', draft_length: 3, threshold: 0 } as const;
  for (const [trial, score] of SCORES.entries()) {
    const time = '2026-01-02T03:04:05.678Z';
    const candidate = { mask: '0110', ...rule };
    await study.append({ type: 'started', trial, candidate, time });
    const figures = { c: 0.3 + trial / 10, draft_acceptance_rate: 0.5 + trial / 10 };
    await study.append({ type: 'finished', trial, score, variance: 0, figures, seconds: 1 });
  }
  for (const [key, value] of Object.entries(notes))
    await study.append({ type: 'note', key, value: JSON.parse(JSON.stringify(value)) });
  await study.close();
  return join(folder, `${name}.jsonl`);
}

const FINALIST = {
  mask: '0110',
  draft_exit: 'cost',
  draft_length: 4,
  threshold: 0,
  speedup: 1.1,
  speedup_ci95: [1.05, 1.15],
  prompts: 16,
  draft_acceptance_rate: 0.8,
  c: 0.4,
  predicted_speedup: 1.15,
};
const PART = { draft_acceptance_rate: 0.7, mean_acceptance_length: 1.9 };
const NOTES = {
  command: 'sspec search --seed 7',
  cost_model: { model: {}, error: { draft: 0.02, target: 0.03 } },
  ablation: [
    { ...PART, bridges: 0, head_words: null, c: 0.5, predicted_speedup: 0.91 },
    { ...PART, bridges: 2, head_words: 8192, c: 0.41, predicted_speedup: 1.18 },
  ],
  finalists: [FINALIST, { ...FINALIST, speedup: 1, predicted_speedup: 1.01 }],
  holdout: { ...FINALIST, speedup: 1.08, speedup_ci95: [1.02, 1.14], prompts: 40 },
};
