import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Conversation, createConversations } from '../../src/decoding/conversations.js';
import type { Engine } from '../../src/engine/engine.js';
import { loadMiniature } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';

const size = { vocabSize: 50, contextLength: 600, layers: 2, hiddenSize: 32 };
const sequence = (seed: number, length: number) => randomTokens(length, size.vocabSize, seed);

let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature(size, 'fp32', 1);
});
afterAll(() => engine.close());

/** Runs what a conversation does not hold yet; returns the logits after the last token. */
async function fill(conversation: Conversation, tokens: readonly number[]) {
  const logits = await engine.prefill(conversation.cache, tokens, conversation.held.length);
  conversation.held.splice(0, conversation.held.length, ...tokens);
  return logits;
}

/** The logits of tokens that are run from the first. */
const truth = (tokens: readonly number[]) =>
  engine.prefill(engine.createCache(size.contextLength), tokens);

describe('kept conversations', () => {
  it('go on where they were, in a cache that grows, and give the same bits', async () => {
    const conversations = createConversations(engine, 2);
    const tokens = sequence(1, 500);
    const held: number[] = [];
    const caches = new Set<unknown>();
    for (const length of [30, 31, 90, 200, 500]) {
      const prompt = tokens.slice(0, length);
      const taken = conversations.take(prompt, length + 5);
      expect(taken.cache.capacity).toBeGreaterThanOrEqual(length + 5);
      held.push(taken.held.length);
      caches.add(taken.cache);
      expect(await fill(taken, prompt)).toEqual(await truth(prompt));
      conversations.give(taken);
    }
    expect(held).toEqual([0, 30, 31, 90, 200]);
    // Fewer than requests: a cache that has grown has room for some more.
    expect(caches.size).toBeLessThan(5);
  });

  it('that only begin alike are left as they are', async () => {
    const conversations = createConversations(engine, 2);
    const system = sequence(2, 70);
    const one = [...system, ...sequence(3, 100)];
    const two = [...system, ...sequence(4, 100)];
    for (const prompt of [one, two, one, two]) {
      const taken = conversations.take(prompt, 200);
      expect(await fill(taken, prompt)).toEqual(await truth(prompt));
      conversations.give(taken);
    }
    expect(conversations.take(one, 200).held).toEqual(one);
    expect(conversations.take(two, 200).held).toEqual(two);
    // Nobody else has those two now.
    expect(conversations.take(one, 200).held).toEqual([]);
  });

  it('are forgotten, the one that was used longest ago first', () => {
    const conversations = createConversations(engine, 2);
    const prompts = [5, 6, 7].map((seed) => sequence(seed, 20));
    const use = (prompt: readonly number[]) => {
      const taken = conversations.take(prompt, 40);
      const known = taken.held.length;
      taken.held.splice(0, known, ...prompt);
      conversations.give(taken);
      return known;
    };
    expect(prompts.map(use)).toEqual([0, 0, 0]);
    expect([1, 2, 0].map((i) => use(prompts[i]!))).toEqual([20, 20, 0]);
  });

  it('are none where none are wanted', () => {
    const conversations = createConversations(engine, 0);
    const prompt = sequence(8, 20);
    for (let time = 0; time < 2; time++) {
      const taken = conversations.take(prompt, 40);
      expect(taken.held).toEqual([]);
      taken.held.push(...prompt);
      conversations.give(taken);
    }
  });
});
