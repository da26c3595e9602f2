import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../../../src/decoding/generate.js';
import type { Round } from '../../../src/decoding/rounds.js';
import { GREEDY } from '../../../src/decoding/sampling/options.js';
import { planGraph } from '../../../src/engine/draft-graph.js';
import type { Engine } from '../../../src/engine/engine.js';
import type { KvCache } from '../../../src/engine/kv-cache.js';
import type { DraftPlan } from '../../../src/profile/draft-plan.js';
import { loadMiniature } from '../../helpers/engine.js';
import { randomMask, randomTokens } from '../../helpers/logits.js';
import { randomPlan, withoutMemory } from '../../helpers/plans.js';

const size = { vocabSize: 60, contextLength: 160, layers: 3, innerScale: 0.3 };
const prompt = randomTokens(70, size.vocabSize, 5);
const newTokens = 50;

let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature(size, 'fp32', 1);
});
afterAll(() => engine.close());

const planOf = (seed: number) =>
  randomPlan(randomMask(size.layers, seed, 0.4), engine.config, seed, { gain: 0.3, every: 1 });

/** What decoding did, apart from its times. */
async function told(plan: DraftPlan | null, cache: KvCache, cachedTokens = 0) {
  const rounds: Round[] = [];
  const drafting = { plan: plan!, draftLength: 4, exit: { exit: 'fixed' } } as const;
  const running = generate(engine, {
    ...{ prompt, cache, cachedTokens, maxNewTokens: newTokens, ignoreEos: true },
    sampling: { ...GREEDY, temperature: 0.7, seed: 3 },
    method: plan ? { name: 'skip', ...drafting } : { name: 'autoregressive' },
  });
  for await (const { round } of running) if (round) rounds.push(round);
  return rounds.map(({ tokens, drafted, confidences }) => ({ tokens, drafted, confidences }));
}

describe('drafts that remember', () => {
  it('leave the output as it is, and draft other tokens than those that do not', async () => {
    const cache = engine.createCache(size.contextLength);
    const output = (rounds: Awaited<ReturnType<typeof told>>) => rounds.flatMap((r) => r.tokens);
    const truth = output(await told(null, cache));
    let others = 0;
    for (let seed = 0; seed < 8; seed++) {
      const plan = planOf(seed);
      const rounds = await told(plan, cache);
      expect(output(rounds)).toEqual(truth);
      // Nobody watches once the drafter is closed: other methods do not pay for it.
      expect(cache.watched).toEqual([]);
      const forgetful = { ...plan, bridges: plan.bridges.map(withoutMemory) };
      const without = await told(forgetful, cache);
      expect(output(without)).toEqual(truth);
      if (JSON.stringify(without) !== JSON.stringify(rounds)) others++;
    }
    expect(others).toBeGreaterThan(4);
  });

  it('draft the same from a cache that goes on as from a fresh one, whatever it watched before', async () => {
    for (let seed = 20; seed < 24; seed++) {
      const plan = planOf(seed);
      const expected = await told(plan, engine.createCache(size.contextLength));
      for (const before of [null, planOf(seed + 50)]) {
        const cache = engine.createCache(size.contextLength);
        await told(before, cache);
        expect(await told(plan, cache, prompt.length)).toEqual(expected);
        expect(await told(plan, cache, prompt.length - 9)).toEqual(expected);
      }
    }
  });

  it('are refused on a cache that does not watch what they remember', async () => {
    const { engine: own, gates, release } = await engine.draft(planGraph(planOf(1), engine.model));
    const cache = engine.createCache(size.contextLength);
    await engine.prefill(cache, prompt);
    await expect(own.forward(cache, [1], prompt.length, gates, 'last')).rejects.toThrow(
      /nobody watches the states before sublayer/,
    );
    await release();
  });
});
