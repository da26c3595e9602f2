import { expect, it } from 'vitest';
import { selfCheck } from '../../src/engine/self-check.js';
import { loadMiniature } from '../helpers/engine.js';

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
    const forward = engine.forward.bind(engine);
    engine.forward = async (cache, tokens, position, gates, wanted) => {
      const logits = await forward(cache, tokens, position, gates, wanted);
      if (tokens.length === 5 && what === 'logits') logits[3] = logits[3]! * (1 + 2 ** -22);
      // Another last token: its keys and values are not those of one-by-one passes.
      if (tokens.length === 5 && what === 'rows') {
        const other = [(tokens[4]! + 1) % engine.config.vocabSize];
        await forward(cache, other, position + 4, gates, 'last');
      }
      return logits;
    };
    const { exact, different } = await selfCheck(engine);
    expect(exact).toBe(false);
    expect(different.every((text) => text.startsWith('5 tokens'))).toBe(true);
    await engine.close();
  }
});
