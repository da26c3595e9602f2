import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { argmax } from '../../src/decoding/sampling/greedy.js';
import type { Engine } from '../../src/engine/engine.js';
import { loadMiniature } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';

// As on x86 without VNNI, on whatever machine.
vi.mock('../../src/engine/cores.js', async (original) => ({
  ...(await original<typeof import('../../src/engine/cores.js')>()),
  roundsSingleRowsOtherwise: () => true,
}));

const contextLength = 96;
let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature({ layers: 2, contextLength }, 'int4');
});
afterAll(() => engine.close());

it('a second row that only makes a pass one of several changes nothing else, up to the last position', async () => {
  const { vocabSize } = engine.config;
  const tokens = randomTokens(contextLength, vocabSize, 5);
  const [one, many] = [engine.createCache(contextLength), engine.createCache(contextLength)];
  expect(one.capacity).toBe(contextLength);
  const together = new Float32Array(contextLength * vocabSize);
  for (let at = 0; at < contextLength; at += 4)
    together.set(
      await engine.forward(many, tokens.slice(at, at + 4), at, engine.target, 'all'),
      at * vocabSize,
    );
  for (const [position, token] of tokens.entries()) {
    const expected = together.subarray(position * vocabSize, (position + 1) * vocabSize);
    const logits = await engine.forward(one, [token], position, engine.target, 'last');
    expect(logits).toEqual(expected);
    const ids = await engine.mostProbable(one, [token], position);
    expect(ids).toEqual(Int32Array.of(argmax(expected, 0, vocabSize)));
  }
  expect(one.digest()).toBe(many.digest());
});

it('a prefill says the same of its last token, alone in its segment or not', async () => {
  const { vocabSize } = engine.config;
  for (const length of [65, 70]) {
    const tokens = randomTokens(length, vocabSize, length);
    const logits = await engine.prefill(engine.createCache(length), tokens);
    expect(logits).toHaveLength(vocabSize);
    const cache = engine.createCache(length);
    await engine.prefill(cache, tokens.slice(0, -1));
    const last = tokens.slice(-1);
    expect(await engine.forward(cache, last, length - 1, engine.target, 'all')).toEqual(logits);
  }
});
