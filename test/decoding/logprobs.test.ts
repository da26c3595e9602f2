import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GenerateRequest, generate } from '../../src/decoding/generate.js';
import { type EmittedLogprob, emittedLogprob } from '../../src/decoding/logprobs.js';
import type { Method } from '../../src/decoding/method.js';
import { GREEDY, type SamplingOptions } from '../../src/decoding/sampling/options.js';
import type { Engine } from '../../src/engine/engine.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { loadMiniature } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';

const size = { vocabSize: 50, contextLength: 200, layers: 3, hiddenSize: 32 };
const prompt = randomTokens(20, size.vocabSize, 1);
let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature(size, 'int8', 1);
});
afterAll(() => engine.close());

/** Tokens and log-probabilities of a generation. */
async function run(request: Partial<GenerateRequest>) {
  const running = generate(engine, { prompt, maxNewTokens: 60, ignoreEos: true, ...request });
  const logprobs: EmittedLogprob[] = [];
  let proposed = 0;
  for (;;) {
    const step = await running.next();
    if (step.done) return { tokens: step.value.tokens, logprobs, proposed };
    logprobs.push(...(step.value.round?.logprobs ?? []));
    proposed += step.value.round?.drafted.length ?? 0;
  }
}

it('a log-probability is that of the softmax, the most probable tokens in order', () => {
  const logits = Float32Array.of(9, 9, Math.log(1), Math.log(4), Math.log(4), Math.log(1), 9);
  const told = emittedLogprob(logits, 2, 4, 3, 3);
  const expected = [1, 2, 0].map((token) => ({
    token,
    logprob: expect.closeTo(Math.log([0.1, 0.4, 0.4, 0.1][token]!), 6),
  }));
  expect(told).toEqual({ token: 3, logprob: expect.closeTo(Math.log(0.1), 6), top: expected });
  expect(emittedLogprob(logits, 2, 4, 0, 0).top).toEqual([]);
  expect(emittedLogprob(logits, 2, 4, 0, 9).top).toHaveLength(4);
});

describe.each<[string, SamplingOptions]>([
  ['greedy', GREEDY],
  ['sampled', { ...GREEDY, temperature: 1.5, topK: 10, seed: 4 }],
])('log-probabilities of a %s generation', (_how, sampling) => {
  it('are those of one pass a token, whatever was drafted', async () => {
    const plain = await run({ sampling, topLogprobs: 3 });
    expect(plain.logprobs.map(({ token }) => token)).toEqual(plain.tokens);
    const cache = engine.createCache(size.contextLength);
    const sequence = [...prompt, ...plain.tokens];
    for (const [i, told] of plain.logprobs.entries()) {
      const logits = await engine.prefill(cache, sequence.slice(0, prompt.length + i));
      const weights = Array.from(logits, (logit) => Math.exp(logit));
      const total = weights.reduce((a, b) => a + b, 0);
      expect(told.logprob).toBeCloseTo(Math.log(weights[told.token]! / total), 4);
      const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]!);
      expect(told.top.map(({ token }) => token)).toEqual(order.slice(0, 3));
    }
    const drafted = { plan: skipPlan({ attention: [1], mlp: [] }), draftLength: 4 };
    const methods: Method[] = [
      { name: 'skip', ...drafted, exit: { exit: 'fixed' } },
      { name: 'lookup' },
    ];
    for (const method of methods) {
      const { logprobs, proposed } = await run({ sampling, method, topLogprobs: 3 });
      expect(logprobs).toEqual(plain.logprobs);
      if (method.name === 'skip') expect(proposed).toBeGreaterThan(0);
    }
  });

  it('are not made where nobody asked', async () => {
    expect((await run({ sampling })).logprobs).toEqual([]);
  });
});

it('a count that is none is refused', async () => {
  await expect(run({ topLogprobs: -1 })).rejects.toThrow(/top_logprobs is -1/);
});
