import OpenAI from 'openai';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/engine/load-model.js';
import { drafting, failures, post, serve, textModel } from './helpers.js';

let model: Model;
beforeAll(async () => {
  model = await textModel();
});

const client = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
const messages = [{ role: 'user' as const, content: 'Say something.' }];
const chat = { model: 'mini', messages, temperature: 1, seed: 7, max_tokens: 60 };
const asked = { logprobs: true, top_logprobs: 4 };
type Told = OpenAI.ChatCompletionTokenLogprob;
const spelled = (tokens: readonly Told[]) =>
  Buffer.concat(tokens.map(({ bytes }) => Buffer.from(bytes!)));

describe('log-probabilities of a chat', () => {
  it('are the same bits with and without drafts, whole and streamed', async () => {
    const plain = client((await serve(model)).url);
    const drafts = client((await serve(model, { method: drafting })).url);
    const [choice] = (await plain.chat.completions.create({ ...chat, ...asked })).choices;
    const tokens = choice!.logprobs!.content!;
    expect(tokens).toHaveLength(60);
    expect(spelled(tokens).toString()).toBe(choice!.message.content);
    for (const { token, bytes, logprob, top_logprobs: top } of tokens) {
      // Half a character is told by its bytes.
      if (!token.startsWith('bytes:')) expect(bytes).toEqual([...Buffer.from(token)]);
      expect(logprob).toBeLessThan(0);
      expect(top).toHaveLength(4);
      expect(top.map((one) => one.logprob)).toEqual(
        top.map((one) => one.logprob).sort((a, b) => b - a),
      );
    }
    expect(tokens.some(({ token }) => token.startsWith('bytes:\\x'))).toBe(true);
    const whole = await drafts.chat.completions.create({ ...chat, ...asked });
    expect(whole.choices).toEqual([choice]);
    for (const openai of [plain, drafts]) {
      const streamed: Told[] = [];
      const stream = await openai.chat.completions.create({ ...chat, ...asked, stream: true });
      for await (const { choices } of stream)
        streamed.push(...(choices[0]?.logprobs?.content ?? []));
      expect(streamed).toEqual(tokens);
    }
  });

  it('of several choices are each its own, and none come unasked', async () => {
    const openai = client((await serve(model, { method: drafting })).url);
    const { choices } = await openai.chat.completions.create({ ...chat, n: 3, logprobs: true });
    for (const { logprobs, message } of choices) {
      expect(spelled(logprobs!.content!).toString()).toBe(message.content);
      expect(logprobs!.content!.every(({ top_logprobs: top }) => top.length === 0)).toBe(true);
    }
    const [silent] = (await openai.chat.completions.create(chat)).choices;
    expect(silent!.logprobs).toBeNull();
  });

  it('leave a stop text out', async () => {
    const openai = client((await serve(model, { method: drafting })).url);
    const { content } = (await openai.chat.completions.create(chat)).choices[0]!.message;
    const stop = content!.slice(12, 14);
    const request = { ...chat, stop, logprobs: true };
    const [choice] = (await openai.chat.completions.create(request)).choices;
    const text = choice!.message.content!;
    expect(text).toBe(content!.slice(0, content!.indexOf(stop)));
    // The token in which the stop text begins may reach into it.
    const tokens = choice!.logprobs!.content!;
    expect(spelled(tokens).toString().startsWith(text)).toBe(true);
    expect(spelled(tokens.slice(0, -1)).length).toBeLessThan(Buffer.byteLength(text));
  });
});

describe('log-probabilities of a completion', () => {
  const prompt = { prompt: 'Once', seed: 3, temperature: 1, max_tokens: 40 };

  it('have each token and where it begins', async () => {
    const openai = client((await serve(model, { method: drafting })).url);
    const request = { model: 'mini', ...prompt, logprobs: 2 };
    const [choice] = (await openai.completions.create(request)).choices;
    const {
      tokens,
      token_logprobs: logprobs,
      top_logprobs: top,
      text_offset: offsets,
    } = choice!.logprobs!;
    expect(tokens).toHaveLength(40);
    for (const [i, token] of tokens!.entries()) {
      expect(Object.keys(top![i]!).length).toBeGreaterThanOrEqual(2);
      expect(top![i]![token]).toBe(logprobs![i]);
      // Half a character is told with what follows it.
      if ([tokens![i - 1], token].some((one) => one?.startsWith('bytes:'))) continue;
      expect(choice!.text.slice(offsets![i], offsets![i]! + token.length)).toBe(token);
    }
    const streamed: number[] = [];
    const stream = await openai.completions.create({ ...request, stream: true });
    for await (const { choices } of stream)
      streamed.push(...(choices[0]!.logprobs?.token_logprobs ?? []));
    expect(streamed).toEqual(logprobs);
    const only = await openai.completions.create({ ...request, logprobs: 0 });
    expect(only.choices[0]!.logprobs).toMatchObject({
      token_logprobs: logprobs,
      top_logprobs: null,
    });
  });
});

it.each([
  ['/v1/chat/completions', { messages, top_logprobs: 3 }, 'top_logprobs'],
  ['/v1/chat/completions', { messages, logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
  ['/v1/chat/completions', { messages, logprobs: 3 }, 'logprobs'],
  ['/v1/completions', { prompt: 'a', logprobs: true }, 'logprobs'],
  ['/v1/completions', { prompt: 'a', logprobs: 21 }, 'logprobs'],
])('%s refuses %j', async (path, body, param) => {
  const { url } = await serve(model);
  const answer = await post(url, path, body);
  expect(answer.status).toBe(400);
  expect(answer.body.error).toMatchObject({ code: 'invalid_value', param });
});

it('nothing failed within', () => {
  expect(failures).toEqual([]);
});
