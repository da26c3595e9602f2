import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { complete } from '../../src/decoding/generate.js';
import type { Method } from '../../src/decoding/method.js';
import type { Engine } from '../../src/engine/engine.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { loadMiniature } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';

const size = { layers: 2, hiddenSize: 32, heads: 2, kvHeads: 1, vocabSize: 1024 };
const contextLength = 1024;
const speculative: Method = {
  name: 'skip',
  plan: skipPlan({ attention: [1], mlp: [0] }),
  draftLength: 4,
  exit: { exit: 'adaptive', threshold: 0.3 },
};

let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature({ ...size, contextLength }, 'fp32', 1);
});
afterAll(() => engine.close());

/** A full garbage collection, finalisers of native memory included. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc !== 'function') throw new Error('this Node has no gc');
  for (let i = 0; i < 2; i++) {
    gc();
    await setTimeout(10);
  }
}

it('memory does not grow with the tokens that were decoded', async () => {
  const cache = engine.createCache(contextLength);
  const decode = async (seed: number): Promise<number> => {
    const prompt = randomTokens(10, size.vocabSize, seed);
    const request = { prompt, cache, method: speculative, maxNewTokens: 1000 };
    const made = await complete(engine, request);
    await collect();
    return made.tokens.length;
  };
  // Buffers for every pass size are made, the runtime's arenas and the heap find their sizes.
  for (let seed = 0; seed < 3; seed++) await decode(seed);
  const before = process.memoryUsage();
  let tokens = 0;
  for (let seed = 3; tokens < 5000; seed++) tokens += await decode(seed);
  const after = process.memoryUsage();
  const perToken = (kind: 'heapUsed' | 'arrayBuffers' | 'rss') =>
    (after[kind] - before[kind]) / tokens;
  // A token has 4 kB of logits in each of its passes, and 256 bytes of keys and values.
  expect(perToken('heapUsed')).toBeLessThan(100);
  expect(perToken('arrayBuffers')).toBeLessThan(50);
  expect(perToken('rss')).toBeLessThan(1500);
});

it('a speculative request takes a cache of the size of an autoregressive one', async () => {
  const made = vi.spyOn(engine, 'createCache');
  const prompt = randomTokens(100, size.vocabSize, 1);
  for (const maxNewTokens of [1, 28, 29, 200]) {
    made.mockClear();
    const request = { prompt, maxNewTokens };
    const plain = await complete(engine, request);
    await complete(engine, { ...request, method: { name: 'lookup' } });
    const drafts = { ...speculative, draftLength: 50 };
    expect((await complete(engine, { ...request, method: drafts })).tokens).toEqual(plain.tokens);
    const caches = made.mock.results.map(({ value }) => value);
    expect(caches).toHaveLength(3);
    // Two layers of keys and values, one head of 16 elements; and at most 32 rows to spare.
    const least = 2 * 2 * (100 + maxNewTokens) * 16 * 4;
    for (const { bytes } of caches) {
      expect(bytes).toBe(caches[0]!.bytes);
      expect(bytes).toBeGreaterThan(least);
      expect(bytes).toBeLessThanOrEqual(least + 32 * 2 * 2 * 16 * 4);
    }
  }
  made.mockRestore();
});
