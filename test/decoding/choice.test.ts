import { beforeAll, describe, expect, it } from 'vitest';
import { type Generator, generateChoice } from '../../src/decoding/choice.js';
import { createConversations } from '../../src/decoding/conversations.js';
import { complete } from '../../src/decoding/generate.js';
import { processMemory } from '../../src/decoding/process-memory.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Model } from '../../src/engine/load-model.js';
import { createMetrics } from '../../src/server/metrics.js';
import { aroundPasses } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';
import { drafting, textModel } from '../server/helpers.js';

let model: Model;
let vocabulary: number;
beforeAll(async () => {
  model = await textModel({ contextLength: 1024 });
  vocabulary = model.engine.config.vocabSize;
});

const never = new AbortController().signal;
const sampling = { ...GREEDY, temperature: 1, seed: 11 };

function generator(method: Generator['method']): Generator {
  const conversations = createConversations(model.engine, 1);
  return { model, method, coupling: 'gumbel', conversations, metrics: createMetrics() };
}

/** Decodes to the end; or aborts after so many rounds. */
async function run(own: Generator, prompt: readonly number[], rounds = Number.POSITIVE_INFINITY) {
  const controller = new AbortController();
  const request = { prompt, maxTokens: 30, sampling, stop: [] };
  const running = generateChoice(own, request, controller.signal);
  const made: number[] = [];
  for (let round = 0; ; round++) {
    const step = await running.next();
    if (step.done) return { made, choice: step.value };
    made.push(...step.value.tokens);
    if (round < rounds) continue;
    controller.abort(new Error('enough'));
    await expect(running.next()).rejects.toThrow('enough');
    return { made, choice: null };
  }
}

const truth = (prompt: readonly number[]) =>
  complete(model.engine, { prompt, sampling, maxNewTokens: 30, tokenizer: model.tokenizer });

describe.each([
  { name: 'autoregressive' },
  drafting,
  { name: 'lookup' },
] satisfies Generator['method'][])('a choice that goes on, decoded with $name', (method) => {
  it('knows all tokens before it but the last, and is what generate makes', async () => {
    const own = generator(method);
    let prompt = randomTokens(150, vocabulary, 1);
    let known = 0;
    for (let turn = 0; turn < 5; turn++) {
      const { made, choice } = await run(own, prompt);
      const expected = await truth(prompt);
      expect(made).toEqual(expected.tokens);
      expect(choice).toMatchObject({ text: expected.text, cachedTokens: known });
      known = prompt.length + made.length - 1;
      prompt = [...prompt, ...made, ...randomTokens(turn * 40, vocabulary, 2 + turn)];
    }
  });

  it('goes on where it was broken off', async () => {
    for (const rounds of [0, 1, 4]) {
      const own = generator(method);
      const prompt = randomTokens(20, vocabulary, 7);
      const { made } = await run(own, prompt, rounds);
      expect(made).toEqual((await truth(prompt)).tokens.slice(0, made.length));
      const more = [...prompt, ...made, 3];
      const { choice } = await run(own, more);
      expect(choice?.tokens).toEqual((await truth(more)).tokens);
      expect(choice?.cachedTokens).toBe(more.length - 2);
    }
  });

  it('runs half a prompt once where the rest was broken off', async () => {
    const own = generator(method);
    const prompt = randomTokens(400, vocabulary, 9);
    const controller = new AbortController();
    let passes = 0;
    const restore = aroundPasses(model.engine, (_pass, run) => {
      if (++passes === 3) controller.abort(new Error('enough'));
      return run();
    });
    const request = { prompt, maxTokens: 30, sampling, stop: [] };
    try {
      const broken = generateChoice(own, request, controller.signal).next();
      await expect(broken).rejects.toThrow('enough');
      expect(passes).toBe(3);
    } finally {
      restore();
    }
    const { choice } = await run(own, prompt);
    expect(choice?.cachedTokens).toBeGreaterThan(0);
    expect(choice?.cachedTokens).toBeLessThan(prompt.length - 1);
    expect(choice?.tokens).toEqual((await truth(prompt)).tokens);
  });
});

it('gives everything back when nobody reads on', async () => {
  const own = generator(drafting);
  const prompt = randomTokens(20, vocabulary, 3);
  const running = generateChoice(own, { prompt, maxTokens: 30, sampling, stop: [] }, never);
  await running.next();
  expect(processMemory(model.engine, drafting).taken).toBe(true);
  await running.return(undefined as never);
  expect(processMemory(model.engine, drafting).taken).toBe(false);
  const again = await run(own, prompt);
  expect(again.choice?.cachedTokens).toBe(prompt.length - 1);
});
