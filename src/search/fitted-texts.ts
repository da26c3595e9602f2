/** Which texts bridges are fitted to. */
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { EvaluationPrompt } from '../evaluation/run.js';
import type { Reference } from './replay/reference.js';

/** Texts that bridges are fitted to: with fewer, they are fitted to those that they are scored on. */
const fewestFitted = 8;
/** Bytes of the keys and values of the texts that bridges are fitted to. */
const mostFittedBytes = 2 * 2 ** 30;

/**
 * The texts that bridges are fitted to: others than are scored, where there are enough. With twice as many numbers a memory learns
 * a text by heart twice as well, so that it needs others in any case.
 */
export function chooseFitted(
  references: readonly Reference[],
  others: readonly Reference[],
  scored: number,
): { readonly fitted: readonly Reference[]; readonly mayRemember: boolean } {
  const known = new Set(references.map(({ prompt }) => prompt.join()));
  const apart = others.filter(({ prompt }) => !known.has(prompt.join()));
  if (apart.length >= fewestFitted) return { fitted: apart, mayRemember: true };
  const unscored = references.slice(scored);
  const fitted = unscored.length >= fewestFitted ? unscored : references;
  return { fitted, mayRemember: false };
}

/** The first of some prompts, as many as have room for keys and values until bridges are fitted to them. */
export function withinMemory(
  prompts: readonly EvaluationPrompt[],
  { layers, kvHeads, headDim }: ModelConfig,
  newTokens: number,
): EvaluationPrompt[] {
  let left = mostFittedBytes;
  return prompts.filter(({ tokens }) => {
    left -= 8 * layers * kvHeads * headDim * (tokens.length + newTokens);
    return left >= 0;
  });
}
