import { expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { selfCheck } from '../../src/engine/self-check.js';
import { aroundPasses, loadMiniature } from '../helpers/engine.js';

it('compares passes once, finds them the same, and remembers', async () => {
  const engine = await loadMiniature({ contextLength: 256 }, 'int8', 1);
  let told = 0;
  const first = await selfCheck(engine, (done, total) => {
    told = done / total;
  });
  expect(first).toMatchObject({ exact: true, different: [] });
  expect(first.passes).toBeGreaterThan(100);
  expect(told).toBe(1);
  const again = await selfCheck(engine, () => expect.unreachable('it is known'));
  expect(again).toEqual(first);
  await engine.close();
});

it('notices passes of several tokens that differ in a bit, in logits or in K/V', async () => {
  for (const what of ['logits', 'rows'] as const) {
    const engine = await loadMiniature(
      { seed: what === 'logits' ? 7 : 8, contextLength: 128 },
      'fp32',
      1,
    );
    const restore = aroundPasses(engine, async ({ cache, tokens, position }, run) => {
      const logits = await run();
      if (tokens.length !== 5) return logits;
      if (what === 'logits') logits[3] = logits[3]! * (1 + 2 ** -22);
      // Another last token: its keys and values are not those of one-by-one passes.
      else await engine.prefill(cache, otherEnd(engine, tokens, position), position + 4);
      return logits;
    });
    const { exact, different } = await selfCheck(engine);
    expect(exact).toBe(false);
    expect(different.every((text) => text.startsWith('5 tokens'))).toBe(true);
    restore();
    await engine.close();
  }
});

/** A sequence that ends with another token than a pass at `position` had; what is before it is in the cache. */
function otherEnd(engine: Engine, tokens: ArrayLike<number>, position: number): number[] {
  const other = (tokens[tokens.length - 1]! + 1) % engine.config.vocabSize;
  return [...Array<number>(position + tokens.length - 1).fill(0), other];
}
