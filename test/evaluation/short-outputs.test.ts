import { expect, it } from 'vitest';
import { emptyStatistics } from '../../src/decoding/statistics.js';
import type { EvaluationResult } from '../../src/evaluation/run.js';
import { shortOutputs } from '../../src/evaluation/short-outputs.js';
import { LOOKUP, PROMPTS, REQUEST } from './example.js';

function outputs(lengths: readonly number[], maxNewTokens = 48): EvaluationResult {
  const samples = lengths.map((length) => ({
    prompt: PROMPTS[0],
    method: LOOKUP,
    repetition: 0,
    order: 0,
    tokens: new Array<number>(length).fill(1),
    finishReason: 'eos' as const,
    statistics: emptyStatistics(),
    rounds: { drafted: [], accepted: [], draftPasses: [], draftSeconds: [], targetSeconds: [] },
    elapsedSeconds: 1,
    peakMemoryBytes: 1,
  }));
  const { prompts, methods, repetitions, warmup, sampling, coupling } = REQUEST;
  const settings = { maxNewTokens, repetitions, warmup, sampling, coupling };
  return { settings, prompts, methods, samples };
}

it('says when half of the outputs end within a few tokens, and nothing else', () => {
  expect(shortOutputs(outputs([2, 3, 3, 40]))).toMatch(/within 3 tokens/);
  expect(shortOutputs(outputs([2, 3, 48, 48]))).toBeUndefined();
  // Asked for so few, they are no news.
  expect(shortOutputs(outputs([4, 4, 4], 4))).toBeUndefined();
});
