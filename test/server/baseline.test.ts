import { expect, it } from 'vitest';
import { createBaseline } from '../../src/server/baseline.js';
import { aroundPasses, loadMiniature } from '../helpers/engine.js';

it('is the rate of passes of one token, and no draft', async () => {
  const engine = await loadMiniature({ vocabSize: 50, contextLength: 200, layers: 2 }, 'fp32');
  const lengths: number[] = [];
  const restore = aroundPasses(engine, ({ tokens, position }, run) => {
    if (position >= 64) lengths.push(tokens.length);
    return run();
  });
  const baseline = createBaseline(engine);
  expect(baseline.tokensPerSecond).toBeNull();
  expect(baseline.isStale).toBe(true);
  await baseline.measure();
  expect(baseline.tokensPerSecond).toBeGreaterThan(0);
  expect(baseline.isStale).toBe(false);
  expect(lengths.length).toBeGreaterThanOrEqual(12);
  expect(new Set(lengths)).toEqual(new Set([1]));
  restore();
  await engine.close();
});

it('is none where the context is too short to measure it', async () => {
  const engine = await loadMiniature({ vocabSize: 50, contextLength: 64, layers: 2 }, 'fp32');
  const baseline = createBaseline(engine);
  await baseline.measure();
  expect(baseline.tokensPerSecond).toBeNull();
  expect(baseline.isStale).toBe(false);
  await engine.close();
});
