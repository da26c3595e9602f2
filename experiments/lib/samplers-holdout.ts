/**
 * The final masks of all runs on held-out prompts, in one interleaved evaluation: every method decodes a prompt beside every
 * other, in a rotated order. Some prompts at a time, each lot written to the folder when it is done, so that a killed
 * evaluation goes on with the next lot.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { type EvaluationPrompt, evaluate, type NamedMethod } from '../../src/evaluation/run.js';
import { writeFileAtomic } from '../../src/files.js';
import { type PairedSample, speedupInterval } from '../../src/measurement/bootstrap.js';
import { divergencesOf } from '../../src/search/trial.js';
import type { Setting } from './samplers-bench.js';

/** Prompts of a lot. */
const lot = 8;

const Line = z.object({
  /** What was compared; lots of another comparison do not count. */
  comparison: z.string(),
  prompt: z.string(),
  seconds: z.record(z.string(), z.array(z.number())),
});
/** Decode seconds of every repetition, by prompt and then by method. */
export type HoldoutTimes = ReadonlyMap<string, Readonly<Record<string, readonly number[]>>>;

/** Measures what is missing of all methods on all prompts. */
export async function measureHoldout(
  { model, settings }: Setting,
  methods: readonly NamedMethod[],
  prompts: readonly EvaluationPrompt[],
  file: string,
  onProgress: (done: number, total: number) => void,
): Promise<HoldoutTimes> {
  const key = ({ dataset, id }: EvaluationPrompt) => `${dataset} ${id}`;
  const comparison = JSON.stringify(methods.map(({ name, method }) => [name, method]));
  const times = new Map<string, Record<string, number[]>>();
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  // What a killed write left behind the last line must not become the beginning of the next one.
  if (whole !== text) writeFileAtomic(file, whole);
  const lines = whole.split('\n').slice(0, -1);
  for (const json of lines) {
    const line = Line.parse(JSON.parse(json));
    if (line.comparison === comparison) times.set(line.prompt, line.seconds);
  }
  const missing = prompts.filter((prompt) => !times.has(key(prompt)));
  for (let first = 0; first < missing.length; first += lot) {
    const some = missing.slice(first, first + lot);
    const warmup = first === 0 ? 1 : 0;
    const result = await evaluate(model, { ...settings, warmup, prompts: some, methods });
    await divergencesOf(model, result);
    for (const prompt of some) {
      const seconds: Record<string, number[]> = {};
      for (const sample of result.samples) {
        // A prompt that ends with its first token has nothing to time.
        if (sample.prompt !== prompt || sample.statistics.decodeSeconds === 0) continue;
        seconds[sample.method.name] = [
          ...(seconds[sample.method.name] ?? []),
          sample.statistics.decodeSeconds,
        ];
      }
      times.set(key(prompt), seconds);
      appendFileSync(file, `${JSON.stringify({ comparison, prompt: key(prompt), seconds })}\n`);
    }
    onProgress(prompts.length - missing.length + first + some.length, prompts.length);
  }
  const wanted = new Set(prompts.map(key));
  return new Map([...times].filter(([prompt]) => wanted.has(prompt)));
}

/** A ratio of times and its 95% interval. */
export interface PairedRatio {
  readonly ratio: number;
  readonly ci95: readonly [number, number];
}

/**
 * Time of some methods over that of others on the same prompts: above 1 the others are faster. Method i of one list is paired
 * with method i of the other (a list of one with all); pairs count as repetitions.
 */
export function pairedRatio(
  times: HoldoutTimes,
  reference: readonly string[],
  methods: readonly string[],
): PairedRatio {
  const samples: PairedSample[] = [];
  for (const [prompt, seconds] of times) {
    const pairs = methods.flatMap((method, i) => {
      const base = seconds[reference[i % reference.length]!] ?? [];
      return (seconds[method] ?? []).map((own, r) => ({ own, base: base[r]! }));
    });
    if (pairs.length === 0) continue;
    samples.push({
      prompt,
      baselineSeconds: pairs.map(({ base }) => base),
      methodSeconds: pairs.map(({ own }) => own),
    });
  }
  const { speedup, ci95 } = speedupInterval(samples, { seed: 0 });
  return { ratio: speedup, ci95 };
}
