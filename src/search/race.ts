/**
 * Finalists decode for real, side by side, some prompts at a time; one that is clearly slower than the best of them so far
 * drops out, so that the time goes to telling the good ones apart (a race, Maron and Moore 1994). The prompts between two looks
 * at who loses are a heat.
 */
import type { Method } from '../decoding/method.js';
import { evaluationMemory, keptCount } from '../evaluation/evaluate.js';
import {
  BASELINE,
  type EvaluatedModel,
  type EvaluationPrompt,
  type NamedMethod,
  type Sample,
} from '../evaluation/run.js';
import { type PairedSample, speedupInterval } from '../measurement/bootstrap.js';
import {
  decodeWith,
  divergencesOf,
  type Measurement,
  type MeasureOptions,
  measurementOf,
  namedMethod,
} from './measure.js';

/** Prompts of a heat. */
const heatPrompts = 8;

/**
 * Measures ways of decoding against each other.
 * @returns a measurement of each, in the order given; of those that dropped out, over the prompts that they decoded.
 * @throws Error when an output differs from the autoregressive one where they must agree.
 */
export async function race(
  model: EvaluatedModel,
  prompts: readonly EvaluationPrompt[],
  entrants: readonly Method[],
  options: MeasureOptions,
): Promise<Measurement[]> {
  const { settings, kept, signal, onProgress } = options;
  const methods = entrants.map(namedMethod);
  const memory = evaluationMemory();
  const measurements = new Map<NamedMethod, Measurement>();
  let running = methods;
  let samples: readonly Sample[] = [];
  const total = prompts.length;
  let { warmup } = settings;
  for (let done = 0; done < total; done += heatPrompts) {
    const heat = prompts.slice(done, done + heatPrompts);
    const decoders = [BASELINE, ...running];
    const planned = decoders.length * heat.length * settings.repetitions;
    const isKept = kept && keptCount(kept, heat, decoders, settings.repetitions) === planned;
    const decoded = await decodeWith(model, heat, running, {
      settings: { ...settings, warmup },
      memory,
      ...(kept && { kept }),
      signal,
      onProgress: (part, of) => onProgress?.(done + Math.floor((heat.length * part) / of), total),
    });
    // The machine is warm once something was decoded.
    if (!isKept) warmup = 0;
    samples = [...samples, ...decoded.samples];
    const result = { ...decoded, prompts: prompts.slice(0, done + heat.length), samples };
    const isLast = done + heatPrompts >= total;
    const staying = isLast ? [] : stillRunning(running, samples);
    const divergences = await divergencesOf(model, decoded);
    for (const method of running) {
      if (!staying.includes(method)) {
        measurements.set(method, measurementOf(result, method, divergences));
      }
    }
    running = staying;
  }
  return methods.map((method) => measurements.get(method)!);
}

/** The fastest so far and those that are not clearly slower. */
function stillRunning(methods: NamedMethod[], samples: readonly Sample[]): NamedMethod[] {
  const times = new Map(methods.map((method) => [method, timesOf(method, samples)]));
  const sum = (method: NamedMethod) =>
    [...times.get(method)!.values()].flat().reduce((total, seconds) => total + seconds, 0);
  const best = methods.reduce((a, b) => (sum(b) < sum(a) ? b : a));
  return methods.filter((method) => {
    if (method === best) return true;
    const paired = [...times.get(method)!].map(([prompt, seconds]): PairedSample => {
      const baselineSeconds = times.get(best)!.get(prompt)!;
      return { prompt, baselineSeconds, methodSeconds: seconds };
    });
    // Outputs of one token have nothing to time.
    if (paired.length === 0) return true;
    return speedupInterval(paired, { seed: 0 }).verdict !== 'slower';
  });
}

/** Decode seconds of every repetition, by prompt; without prompts whose output was one token. */
function timesOf(method: NamedMethod, samples: readonly Sample[]): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const sample of samples) {
    if (sample.method !== method || sample.statistics.decodeSeconds === 0) continue;
    const key = `${sample.prompt.dataset} ${sample.prompt.id}`;
    times.set(key, [...(times.get(key) ?? []), sample.statistics.decodeSeconds]);
  }
  return times;
}
