import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DraftGraph, skipGraph } from '../../src/engine/draft-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import { bitsToMask } from '../../src/profile/mask.js';
import { Random } from '../../src/random.js';
import { loadMiniature } from '../helpers/engine.js';
import { logitDistance } from '../helpers/logits.js';
import { narrowHead } from '../helpers/narrow-head.js';

const options = { layers: 4, slidingWindow: null };
let plain: Engine;
let gated: Engine;
beforeAll(async () => {
  plain = await loadMiniature(options, 'fp32');
  gated = await plain.loadGatedDrafts();
});
afterAll(async () => {
  await plain.close();
  await gated.close();
});

test('a draft session says what the gated graph with its mask does, and writes keys and values as it goes', async () => {
  const random = new Random(4);
  const bits = 2 * plain.config.layers;
  const masks = Array.from({ length: 12 }, () =>
    Uint8Array.from({ length: bits }, () => random.integer(2)),
  );
  masks.push(
    new Uint8Array(bits).fill(1),
    Uint8Array.from({ length: bits }, (_, i) => 1 - (i % 2)),
  );
  for (const mask of masks.map(bitsToMask)) {
    const tokens = Array.from({ length: 40 }, () => random.integer(plain.config.vocabSize));
    const draft = await plain.draft(skipGraph(mask));
    const expected = gated.createCache(64);
    const cache = plain.createCache(64);
    await gated.prefill(expected, tokens);
    await plain.prefill(cache, tokens);
    for (let position = 40; position < 44; position++) {
      const token = [random.integer(plain.config.vocabSize)];
      const there = await gated.forward(expected, token, position, gated.gates(mask), 'last');
      const here = await draft.engine.forward(cache, token, position, draft.gates, 'last');
      expect(logitDistance(here, [there]).max).toBeLessThan(1e-4);
    }
    await draft.release();
  }
});

test('a draft that is asked for twice is one session, and its graph leaves no file behind', async () => {
  const mask = { attention: [1], mlp: [2] };
  const [first, second] = await Promise.all([
    plain.draft(skipGraph(mask)),
    plain.draft(skipGraph(mask)),
  ]);
  expect(second.engine).toBe(first.engine);
  await first.release();
  await second.release();
  const again = await plain.draft(skipGraph(mask));
  expect(again.engine).toBe(first.engine);
  await again.release();
  expect(readdirSync(dirname(plain.model.path)).filter((name) => name.startsWith('draft'))).toEqual(
    [],
  );
});

test('of drafts that were given back the last one stays loaded', async () => {
  const one = await plain.draft(skipGraph({ attention: [0], mlp: [] }));
  const two = await plain.draft(skipGraph({ attention: [1], mlp: [] }));
  await one.release();
  await two.release();
  const fresh = await plain.draft(skipGraph({ attention: [0], mlp: [] }));
  expect(fresh.engine).not.toBe(one.engine);
  await fresh.release();
});

test('a gated engine drafts by itself', async () => {
  const { engine } = await gated.draft(skipGraph({ attention: [1], mlp: [] }));
  expect(engine).toBe(gated);
});

test('transforms come after skipping, on a plain and on a gated engine, and have sessions of their own', async () => {
  const mask = { attention: [1], mlp: [2] };
  const skipping = skipGraph(mask);
  const tokens = [0, 3, 4, 17, 255];
  const narrow = narrowHead(skipping, tokens);
  const halved = narrowHead(narrow, [1, 3]);
  expect(
    new Set([skipping.key, narrow.key, halved.key, skipGraph({ ...mask, mlp: [] }).key]).size,
  ).toBe(4);
  for (const engine of [plain, gated]) {
    const expected = await logitsOf(engine, skipping);
    const few = await logitsOf(engine, narrow);
    expect(few).toHaveLength(tokens.length);
    for (const [i, token] of tokens.entries()) expect(few[i]).toBeCloseTo(expected[token]!, 3);
    expect(halved.headTokens).toEqual(Int32Array.of(3, 17));
    expect(await logitsOf(engine, halved)).toEqual(Float32Array.of(few[1]!, few[3]!));
  }
});

/** The draft's logits after a prompt. */
async function logitsOf(engine: Engine, graph: DraftGraph): Promise<Float32Array> {
  const cache = engine.createCache(8);
  await engine.prefill(cache, [5, 6, 7]);
  const draft = await engine.draft(graph);
  const logits = await draft.engine.forward(cache, [8], 3, draft.gates, 'last');
  await draft.release();
  return logits;
}
