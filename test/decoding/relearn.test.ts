import { afterAll, beforeAll, expect, it } from 'vitest';
import { generate } from '../../src/decoding/generate.js';
import { type Method, methodMemory } from '../../src/decoding/method.js';
import { relearn } from '../../src/decoding/relearn.js';
import type { Engine } from '../../src/engine/engine.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { loadMiniature } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';

const maxNewTokens = 40;
// Few tokens, so that some come up again.
const size = { vocabSize: 24, contextLength: 120, layers: 3 };
const prompts = [1, 2, 3].map((seed) => randomTokens(20, size.vocabSize, seed));
const drafting = {
  plan: skipPlan({ attention: [0, 1], mlp: [1] }),
  draftLength: 5,
  exit: { exit: 'fixed' },
  // So dear that drafting pauses before long.
  fallback: {
    ...{ draft: 0.8, verify: [1, 1.2, 1.4, 1.6, 1.8, 2], timePerToken: 0.9 },
    acceptance: { confidence: [0.5], probability: [0.7] },
    nextAcceptance: { confidence: [0.5], probability: [0.6] },
  },
} as const;
const methods: Method[] = [
  { name: 'lookup' },
  { name: 'skip', ...drafting },
  { name: 'cascade', ...drafting },
];

let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature(size, 'fp32', 1);
});
afterAll(() => engine.close());

async function decode(
  method: Method,
  prompt: readonly number[],
  memory: ReturnType<typeof methodMemory>,
) {
  const running = generate(engine, { prompt, method, memory, maxNewTokens, ignoreEos: true });
  const drafted: number[] = [];
  const accepted: number[] = [];
  const draftPasses: number[] = [];
  for (;;) {
    const step = await running.next();
    if (step.done) {
      const { tokens } = step.value;
      return { prompt, tokens, maxNewTokens, drafted, accepted, draftPasses };
    }
    const { round } = step.value;
    if (round?.kind !== 'round') continue;
    drafted.push(round.drafted.length);
    accepted.push(round.accepted);
    draftPasses.push(round.draftPasses);
  }
}

it.each(methods)('$name: a memory is what it was after the generations', async (method) => {
  const lived = methodMemory(method);
  const told = methodMemory(method);
  const [first, second, third] = prompts as [number[], number[], number[]];
  for (const prompt of [first, second])
    await relearn(engine, method, told, await decode(method, prompt, lived));
  const expected = await decode(method, third, lived);
  expect(await decode(method, third, told)).toEqual(expected);
  // It matters: nothing learned drafts otherwise.
  expect(await decode(method, third, methodMemory(method))).not.toEqual(expected);
});
