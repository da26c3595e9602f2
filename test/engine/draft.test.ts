import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { bitsToMask } from '../../src/profile/mask.js';
import { Random } from '../../src/random.js';
import { loadMiniature } from '../helpers/engine.js';

const options = { layers: 4, slidingWindow: null };
let plain: Engine;
let gated: Engine;
beforeAll(async () => {
  plain = await loadMiniature(options, 'int8');
  gated = await plain.loadGated();
});
afterAll(async () => {
  await plain.close();
  await gated.close();
});

test('a draft session has the bits of the gated graph with its mask, and writes the same keys and values', async () => {
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
    const draft = await plain.draft(mask);
    const expected = gated.createCache(64);
    const cache = plain.createCache(64);
    await gated.prefill(expected, tokens);
    await plain.prefill(cache, tokens);
    for (let position = 40; position < 44; position++) {
      const token = [random.integer(plain.config.vocabSize)];
      const there = await gated.forward(expected, token, position, gated.gates(mask), 'last');
      const here = await draft.engine.forward(cache, token, position, draft.gates, 'last');
      expect(here).toEqual(there);
    }
    expect(cache.digest()).toBe(expected.digest());
    await draft.release();
  }
});

test('a draft that is asked for twice is one session, and its graph leaves no file behind', async () => {
  const mask = { attention: [1], mlp: [2] };
  const [first, second] = await Promise.all([plain.draft(mask), plain.draft(mask)]);
  expect(second.engine).toBe(first.engine);
  await first.release();
  await second.release();
  const again = await plain.draft(mask);
  expect(again.engine).toBe(first.engine);
  await again.release();
  expect(readdirSync(dirname(plain.model.path)).filter((name) => name.startsWith('draft'))).toEqual(
    [],
  );
});

test('of drafts that were given back the last one stays loaded', async () => {
  const one = await plain.draft({ attention: [0], mlp: [] });
  const two = await plain.draft({ attention: [1], mlp: [] });
  await one.release();
  await two.release();
  const fresh = await plain.draft({ attention: [0], mlp: [] });
  expect(fresh.engine).not.toBe(one.engine);
  await fresh.release();
});

test('a gated engine drafts by itself', async () => {
  const { engine } = await gated.draft({ attention: [1], mlp: [] });
  expect(engine).toBe(gated);
});
