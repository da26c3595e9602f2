import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../files.js';

/** A benchmark by the name that `--dataset` takes, and where its rows are. */
export type Benchmark = {
  readonly name: string;
  readonly description: string;
} & (
  | {
      /** Dataset repository on the Hub, and the JSONL file in it. */
      readonly repository: { readonly org: string; readonly name: string };
      readonly file: string;
    }
  | {
      readonly repository: null;
      /** Why it cannot be pulled and where its file is, as the end of a sentence. */
      readonly instead: string;
    }
);

const parquet = (repository: string, file: string) =>
  `the Hub has it as Parquet alone (${repository}), which is not read: get ${file} and give that file`;

/** Benchmarks of which a format is known (datasets/tasks). */
export const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'humaneval',
    description:
      'HumanEval: 164 Python functions to be completed (the Python part of HumanEvalPack)',
    // openai/openai_humaneval is Parquet alone.
    repository: { org: 'bigcode', name: 'humanevalpack' },
    file: 'data/python/data/humanevalpack.jsonl',
  },
  {
    name: 'mt-bench',
    description: 'MT-Bench: 80 instructions of two turns',
    repository: { org: 'HuggingFaceH4', name: 'mt_bench_prompts' },
    file: 'raw/question.jsonl',
  },
  {
    ...{ name: 'gsm8k', description: 'GSM8K: word problems', repository: null },
    instead: parquet('openai/gsm8k', 'test.jsonl of openai/grade-school-math on GitHub'),
  },
  {
    ...{ name: 'mbpp', description: 'MBPP: small Python problems', repository: null },
    instead: parquet(
      'google-research-datasets/mbpp',
      'mbpp.jsonl of google-research/google-research on GitHub',
    ),
  },
  {
    ...{ name: 'xsum', description: 'XSum: articles to be summed up', repository: null },
    instead: parquet('EdinburghNLP/xsum', 'it as JSONL elsewhere'),
  },
  {
    ...{ name: 'cnn-dailymail', description: 'CNN/DailyMail: articles', repository: null },
    instead: parquet('abisee/cnn_dailymail', 'it as JSONL elsewhere'),
  },
  {
    ...{ name: 'spec-bench', description: 'Spec-Bench: instructions of 6 kinds', repository: null },
    instead:
      'it is not on the Hub: get data/spec_bench/question.jsonl of hemingkyx/Spec-Bench on GitHub and give that file',
  },
];

/** Where a pulled benchmark lies. */
export function benchmarkFile(name: string): string {
  return join(cacheDirectory(), 'datasets', `${name}.jsonl`);
}

/** The file of a benchmark that was pulled; undefined for other names, and before that. */
export function pulledBenchmark(name: string): string | undefined {
  const isKnown = BENCHMARKS.some((benchmark) => benchmark.name === name);
  return isKnown && existsSync(benchmarkFile(name)) ? benchmarkFile(name) : undefined;
}

/** What to do about a name that is neither a dataset nor a file here; undefined when no benchmark has it. */
export function benchmarkAdvice(name: string): string | undefined {
  const benchmark = BENCHMARKS.find((known) => known.name === name);
  if (benchmark === undefined) return undefined;
  return benchmark.repository === null
    ? `"${name}" cannot be downloaded: ${benchmark.instead}.`
    : `"${name}" is not downloaded yet: sspec dataset pull ${name}.`;
}
