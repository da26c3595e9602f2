import type { EvaluationResult } from './run.js';

/** The turns that every method has had, which alone can be compared; undefined where there is none. */
export function finishedPart(stopped: EvaluationResult): EvaluationResult | undefined {
  const { settings, prompts, methods } = stopped;
  const turns = Math.floor(stopped.samples.length / methods.length);
  const samples = stopped.samples.slice(0, turns * methods.length);
  if (samples.length === 0) return undefined;
  const decoded = new Set(samples.map(({ prompt }) => prompt));
  return {
    settings: { ...settings, repetitions: Math.ceil(turns / prompts.length) },
    prompts: prompts.filter((prompt) => decoded.has(prompt)),
    methods,
    samples,
    planned: { prompts, repetitions: settings.repetitions },
  };
}
