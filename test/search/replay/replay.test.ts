import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCoupling } from '../../../src/decoding/coupling.js';
import { generate } from '../../../src/decoding/generate.js';
import type { Round } from '../../../src/decoding/rounds.js';
import { GREEDY, type SamplingOptions } from '../../../src/decoding/sampling/options.js';
import type { Engine } from '../../../src/engine/engine.js';
import { ReplayInputs } from '../../../src/engine/replay-inputs.js';
import { skipPlan } from '../../../src/profile/draft-plan.js';
import type { SkipMask } from '../../../src/profile/mask.js';
import { replayDraft } from '../../../src/search/replay/records.js';
import { makeReference } from '../../../src/search/replay/reference.js';
import { loadMiniature } from '../../helpers/engine.js';
import { randomMask, randomTokens } from '../../helpers/logits.js';

const size = { layers: 4, contextLength: 256, innerScale: 0.2 };
const newTokens = 90;
const sampled: SamplingOptions = { ...GREEDY, temperature: 0.8, topP: 0.95, seed: 5 };

let engine: Engine;
let gated: Engine;
beforeAll(async () => {
  engine = await loadMiniature(size, 'fp32', 1);
  gated = await engine.loadGated();
});
afterAll(async () => {
  await gated.close();
  await engine.close();
});

/** The rounds of real decoding with a fixed draft length. */
async function realRounds(
  prompt: number[],
  mask: SkipMask,
  draftLength: number,
  sampling: SamplingOptions,
): Promise<Round[]> {
  const rounds: Round[] = [];
  const method = {
    name: 'skip',
    plan: skipPlan(mask),
    draftLength,
    exit: { exit: 'fixed' },
  } as const;
  const request = { prompt, maxNewTokens: newTokens, method, sampling, ignoreEos: true };
  for await (const { round } of generate(engine, request)) if (round) rounds.push(round);
  return rounds;
}

/** Tokens and confidences that a replay with these window starts proposes after every new token but the last. */
async function replayed(
  prompt: number[],
  tokens: readonly number[],
  starts: readonly number[],
  mask: SkipMask,
  sampling: SamplingOptions,
) {
  const { vocabSize } = engine.config;
  const cache = engine.createCache(256);
  await engine.prefill(cache, [...prompt, ...tokens]);
  const layout = { tokens: tokens.slice(0, -1), first: prompt.length, starts };
  const inputs = new ReplayInputs(engine.config, cache, layout);
  const before = cache.digest();
  const logits = await gated.replay(inputs, gated.gates(mask));
  expect(cache.digest()).toBe(before);
  const choose = createCoupling('gumbel', sampling, vocabSize, 0).draftFrom(null);
  return layout.tokens.map((_, i) =>
    choose(logits.subarray(i * vocabSize, (i + 1) * vocabSize), prompt.length + i + 1, 0),
  );
}

describe('window replay', () => {
  it.each([
    ['greedy', GREEDY],
    ['sampling', sampled],
  ])(
    'proposes what real drafts propose that start where its windows do: %s',
    async (_, sampling) => {
      let compared = 0;
      let rejected = 0;
      const different: string[] = [];
      for (let trial = 0; trial < 12; trial++) {
        const prompt = randomTokens(5 + 11 * trial, engine.config.vocabSize, trial);
        const mask = randomMask(size.layers, trial, 0.1 + 0.06 * trial);
        const draftLength = 2 + (trial % 6);
        const rounds = await realRounds(prompt, mask, draftLength, sampling);
        const tokens = rounds.flatMap((round) => round.tokens);
        const drafts = rounds.filter((round) => round.drafted.length > 0);
        const starts = drafts.map((round) => round.position - 1);
        const proposals = await replayed(prompt, tokens, starts, mask, sampling);
        for (const { position, drafted, accepted } of drafts) {
          const at = position - 1 - prompt.length;
          const certain = drafted.slice(0, accepted + 1);
          for (const [i, token] of certain.entries()) {
            compared++;
            if (proposals[at + i] !== token) different.push(`trial ${trial}, place ${at + i}`);
          }
          if (accepted < drafted.length) rejected++;
        }
      }
      // 32-bit sums of other blocks may decide a near tie otherwise; among so few there is none.
      expect(different).toEqual([]);
      expect(compared).toBeGreaterThan(400);
      expect(rejected).toBeGreaterThan(50);
    },
  );

  it('records the target itself as always right', async () => {
    const prompt = randomTokens(40, engine.config.vocabSize, 3);
    const settings = { maxNewTokens: 60, sampling: sampled, coupling: 'gumbel' } as const;
    const reference = await makeReference(engine, prompt, settings, 5);
    const coupling = createCoupling('gumbel', sampled, engine.config.vocabSize, 0);
    const [record] = await replayDraft(gated, reference!, gated.target, coupling, [null]);
    const { match, confidence, room } = record!;
    expect(match.every((one) => one === 1)).toBe(true);
    expect(confidence.every((p) => p > 0 && p <= 1 + 1e-4)).toBe(true);
    expect(match).toHaveLength(reference!.tokens.length - 1);
    // Drafts end where a segment does, and in the last round nothing can be drafted: the target's own token ends the output.
    expect([room[0], room[23], room[24], room.at(-1)]).toEqual([23, 0, 34, 0]);
  });

  it('proposes with every head what it proposes with that head alone', async () => {
    const { vocabSize } = engine.config;
    for (const sampling of [GREEDY, sampled]) {
      const prompt = randomTokens(30, vocabSize, 4);
      const settings = { maxNewTokens: 40, sampling, coupling: 'gumbel' } as const;
      const reference = (await makeReference(engine, prompt, settings, 2))!;
      const coupling = createCoupling('gumbel', sampling, vocabSize, 0);
      const gates = gated.gates(randomMask(size.layers, 7, 0.4));
      const words = (count: number) => Int32Array.from({ length: count }, (_, i) => i);
      for (const heads of [
        [words(8), words(60), null],
        [words(8), words(60)],
      ]) {
        const together = await replayDraft(gated, reference, gates, coupling, heads);
        for (const [i, head] of heads.entries()) {
          const [alone] = await replayDraft(gated, reference, gates, coupling, [head]);
          expect(together[i]!.token).toEqual(alone!.token);
          expect(together[i]!.match).toEqual(alone!.match);
          for (const [place, confidence] of together[i]!.confidence.entries())
            expect(confidence).toBeCloseTo(alone!.confidence[place]!, 4);
        }
      }
    }
  });

  it('has nothing to replay of a single token', async () => {
    const settings = { maxNewTokens: 1, sampling: GREEDY, coupling: 'gumbel' } as const;
    expect(await makeReference(engine, [1, 2, 3], settings, 0)).toBeNull();
  });
});
