import { afterAll, beforeAll, expect, it } from 'vitest';
import { complete } from '../../src/decoding/generate.js';
import { GREEDY, type SamplingOptions } from '../../src/decoding/sampling/options.js';
import { emptyStatistics } from '../../src/decoding/statistics.js';
import type { Engine } from '../../src/engine/engine.js';
import type { DraftPlan } from '../../src/profile/draft-plan.js';
import { loadMiniature } from '../helpers/engine.js';
import { randomMask, randomTokens } from '../helpers/logits.js';
import { randomPlan } from '../helpers/plans.js';

const size = { vocabSize: 60, contextLength: 128, layers: 4, innerScale: 0.1 };

let engines: readonly Engine[];
beforeAll(async () => {
  engines = [await loadMiniature(size, 'fp32', 1), await loadMiniature(size, 'int8', 1)];
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

/** A third of the tokens, and what the text adds to them; bridges that hardly move the inner layers. */
function planOf(engine: Engine, seed: number): DraftPlan {
  const mask = randomMask(size.layers, seed, 0.4);
  const inner = (layers: readonly number[]) => layers.filter((l) => l > 0 && l < size.layers - 1);
  const own = { attention: inner(mask.attention), mlp: inner(mask.mlp) };
  return randomPlan(own, engine.config, seed, { gain: 0.05 });
}

const samplings: [string, SamplingOptions][] = [
  ['greedy', GREEDY],
  ['Gumbel', { ...GREEDY, temperature: 0.9, topP: 0.95 }],
];
it.each(samplings)(
  'drafts with bridges and a head over few words leave the output as it is: %s',
  async (_, base) => {
    for (const engine of engines) {
      const totals = emptyStatistics();
      const outside = new Set<number>();
      for (let seed = 0; seed < 10; seed++) {
        const plan = planOf(engine, seed);
        const prompt = randomTokens(12, size.vocabSize, seed);
        const sampling = { ...base, seed };
        const request = { prompt, sampling, maxNewTokens: 50, ignoreEos: true };
        const plain = await complete(engine, request);
        const drafting = { plan, draftLength: 1 + (seed % 6), exit: { exit: 'fixed' } as const };
        for (const name of ['skip', 'cascade'] as const) {
          const made = await complete(engine, { ...request, method: { name, ...drafting } });
          expect(made.tokens, `${name}, seed ${seed}`).toEqual(plain.tokens);
          if (name === 'cascade') continue;
          totals.acceptedTokens += made.statistics.acceptedTokens;
          totals.proposedTokens += made.statistics.proposedTokens;
        }
        for (const token of plain.tokens) if (!plan.words!.includes(token)) outside.add(token);
      }
      expect(outside.size).toBeGreaterThan(5);
      expect(totals.acceptedTokens).toBeGreaterThan(50);
      expect(totals.proposedTokens).toBeGreaterThan(totals.acceptedTokens);
    }
  },
);
