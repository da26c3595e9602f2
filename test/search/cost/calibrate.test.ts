import { afterAll, beforeAll, expect, it } from 'vitest';
import { GREEDY } from '../../../src/decoding/sampling/options.js';
import type { Engine } from '../../../src/engine/engine.js';
import { MAX_DRAFT_LENGTH } from '../../../src/optimise/candidate.js';
import { calibrateCosts } from '../../../src/search/cost/calibrate.js';
import { priceDraft } from '../../../src/search/cost/cost-model.js';
import { generationsFor, settling } from '../../../src/search/cost/timed-rounds.js';
import { loadMiniature } from '../../helpers/engine.js';
import { randomTokens } from '../../helpers/logits.js';

const settings = { sampling: GREEDY, coupling: 'gumbel' } as const;
let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature({ layers: 4, contextLength: 128 }, 'fp32', 1);
});
afterAll(() => engine.close());

it('prices every pass that a search asks for, after timing real rounds', async () => {
  const { vocabSize } = engine.config;
  const seen: number[] = [];
  const { model, error } = await calibrateCosts({
    engine,
    prompts: [randomTokens(30, vocabSize, 1), randomTokens(80, vocabSize, 2)],
    settings,
    seed: 0,
    onProgress: (done, total) => seen.push(done / total),
  });
  expect(seen.at(-1)).toBe(1);
  const { target, pass, autoregressive } = priceDraft(
    model,
    { attention: 1, mlp: 1, head: 1, bridges: 0 },
    60,
  );
  expect(target).toHaveLength(MAX_DRAFT_LENGTH + 2);
  for (const seconds of [pass, autoregressive, ...target.slice(1)]) {
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(1);
  }
  // Medians of errors relative to what was measured: a model that predicts nothing at all would have 1.
  expect(error.draft).toBeLessThan(1);
  expect(error.target).toBeLessThan(1);
});

it('times half as much of slow models, and no more than half of a generation settles', () => {
  const rounds = (seconds: number) =>
    [1, 1, 20].map((slowness) => ({
      ...{ shape: null, context: 9, drafted: 0, draftSeconds: 0 },
      targetSeconds: slowness * seconds,
    }));
  expect(generationsFor(12, rounds(0.01))).toBe(12);
  expect(generationsFor(12, rounds(0.1))).toBe(6);
  expect(generationsFor(1, rounds(0.1))).toBe(1);
  expect(generationsFor(2, [])).toBe(2);
  expect([0, 1, 2, 5, 8, 30].map((count) => settling(count, 0))).toEqual([0, 0, 1, 2, 4, 4]);
  expect([0, 1, 2, 5, 8, 30].map((count) => settling(count, 1))).toEqual([0, 0, 1, 2, 2, 2]);
});

it('stops when it is aborted', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  const request = { engine, prompts: [[1, 2, 3]], settings, seed: 0, signal };
  await expect(calibrateCosts(request)).rejects.toThrow('enough');
});

it('times prompts that fill the context, cut', async () => {
  const { vocabSize, contextLength } = engine.config;
  const { model } = await calibrateCosts({
    engine,
    prompts: [
      randomTokens(contextLength - 1, vocabSize, 1),
      randomTokens(contextLength - 14, vocabSize, 2),
    ],
    settings,
    seed: 0,
  });
  const { target } = priceDraft(model, { attention: 1, mlp: 1, head: 1, bridges: 0 }, 60);
  for (const seconds of target.slice(1)) expect(seconds).toBeGreaterThan(0);
});
