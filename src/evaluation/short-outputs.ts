import { median } from 'simple-statistics';
import type { EvaluationResult } from './run.js';

/** Outputs of fewer tokens tell little of a method: most of their time is the prefill, which is not counted. */
const SHORT = 8;

/** A sentence for the user where most outputs end of themselves within a few tokens; undefined elsewhere. */
export function shortOutputs({ samples, settings }: EvaluationResult): string | undefined {
  const lengths = samples.map(({ tokens }) => tokens.length);
  const middle = median(lengths);
  if (middle >= SHORT || settings.maxNewTokens <= SHORT) return undefined;
  return `Half of the outputs end within ${middle} tokens: speedups say little of so short ones; for a chat model give instructions, or --chat.`;
}
