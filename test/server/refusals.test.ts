import { beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/engine/load-model.js';
import { failures, post, serve, textModel } from './helpers.js';

let url: string;
let model: Model;
beforeAll(async () => {
  model = await textModel();
  url = (await serve(model)).url;
});

const user = (content: unknown) => ({ role: 'user', content });
const chat = (more: object = {}) => ({ messages: [user('Hello')], max_tokens: 2, ...more });
const CHAT = '/v1/chat/completions';
const COMPLETIONS = '/v1/completions';

/** Every answer that is an error has OpenAI's form. */
function expectError(
  { status, body }: Awaited<ReturnType<typeof post>>,
  wanted: { status: number; code: string; param?: string | null; message?: RegExp },
) {
  expect({ status, ...body.error }).toEqual({
    status: wanted.status,
    code: wanted.code,
    param: wanted.param ?? null,
    type: expect.stringMatching(/^[a-z_]+_error$/),
    message: expect.stringMatching(wanted.message ?? /\S.*\.$/),
  });
}

describe('a chat request is refused', () => {
  it.each<[string, object, string, string | null, RegExp?]>([
    ['with logit_bias', { logit_bias: { 5: 1 } }, 'unsupported_parameter', 'logit_bias'],
    ['with tools', { tools: [{ type: 'function' }] }, 'unsupported_parameter', 'tools'],
    [
      'for JSON by a schema',
      { response_format: { type: 'json_schema' } },
      'unsupported_parameter',
      'response_format',
    ],
    [
      'with a frequency penalty',
      { frequency_penalty: 0.1 },
      'unsupported_parameter',
      'frequency_penalty',
    ],
    ['with an unknown field', { tempreature: 0 }, 'unknown_parameter', 'tempreature'],
    [
      'with __proto__ as a name',
      JSON.parse('{"constructor": {}}'),
      'unknown_parameter',
      'constructor',
    ],
    ['with a temperature below 0', { temperature: -1 }, 'invalid_value', 'temperature'],
    ['with a temperature in words', { temperature: 'hot' }, 'invalid_value', 'temperature'],
    ['with top_p of 0', { top_p: 0 }, 'invalid_value', 'top_p'],
    ['with half a top_k', { top_k: 1.5 }, 'invalid_value', 'top_k'],
    ['with a seed that no number holds', { seed: 2 ** 60 }, 'invalid_value', 'seed'],
    ['for no tokens', { max_tokens: 0 }, 'invalid_value', 'max_tokens'],
    ['for no choices', { n: 0 }, 'invalid_value', 'n'],
    ['for too many', { n: 17 }, 'too_many_choices', 'n'],
    ['with an empty stop text', { stop: '' }, 'invalid_value', 'stop'],
    ['with many stop texts', { stop: Array(17).fill('a') }, 'invalid_value', 'stop'],
    ['without messages', { messages: undefined }, 'invalid_value', 'messages'],
    ['with none', { messages: [] }, 'invalid_value', 'messages'],
    [
      'with a tool as speaker',
      { messages: [{ role: 'tool', content: '' }] },
      'invalid_value',
      'messages.0.role',
    ],
    [
      'with an image',
      { messages: [user([{ type: 'image_url', image_url: {} }])] },
      'invalid_value',
      'messages.0.content',
    ],
    [
      'with a name',
      { messages: [{ ...user('a'), name: 'me' }] },
      'unknown_parameter',
      'messages.0.name',
    ],
    [
      'that the template refuses',
      { messages: [user('never')] },
      'invalid_messages',
      'messages',
      /not that/,
    ],
    [
      'past the context',
      { messages: [user('x'.repeat(600))] },
      'context_length_exceeded',
      'messages',
    ],
    [
      'far past it',
      { messages: [user('x'.repeat(600_000))] },
      'context_length_exceeded',
      'messages',
    ],
  ])('%s', async (_what, more, code, param, message) => {
    const answer = await post(url, CHAT, chat(more));
    expectError(answer, { status: 400, code, param, ...(message && { message }) });
    // Nothing of where files lie.
    expect(answer.body.error.message).not.toContain(model.directory);
  });

  it('by a model without a template', async () => {
    const plain = await serve(await textModel({ chat: false }));
    const answer = await post(plain.url, CHAT, chat());
    expectError(answer, { status: 400, code: 'no_chat_template', message: /v1\/completions/ });
    expect((await post(plain.url, COMPLETIONS, { prompt: 'a' })).status).toBe(200);
  });

  it('of another model', async () => {
    const answer = await post(url, CHAT, chat({ model: 'gpt-4' }));
    expectError(answer, { status: 404, code: 'model_not_found', param: 'model' });
  });
});

describe('a completion is refused', () => {
  it.each<[string, object, string, string | null]>([
    ['without a prompt', {}, 'invalid_value', 'prompt'],
    ['with an empty one', { prompt: '' }, 'invalid_prompt', 'prompt'],
    ['with an id outside the vocabulary', { prompt: [1, 100_000] }, 'invalid_prompt', 'prompt'],
    ['with a negative id', { prompt: [-1] }, 'invalid_value', 'prompt.0'],
    ['with messages', { prompt: 'a', messages: [] }, 'unknown_parameter', 'messages'],
    ['for an echo', { prompt: 'a', echo: true }, 'unsupported_parameter', 'echo'],
    ['with many prompts', { prompt: Array(17).fill('a') }, 'too_many_choices', 'prompt'],
  ])('%s', async (_what, body, code, param) => {
    expectError(await post(url, COMPLETIONS, body), { status: 400, code, param });
  });
});

it('what changes nothing is let through', async () => {
  const answer = await post(
    url,
    CHAT,
    chat({
      ...{
        model: null,
        logit_bias: {},
        logprobs: false,
        top_logprobs: null,
        tools: [],
        stop: null,
      },
      ...{
        frequency_penalty: 0,
        presence_penalty: 0,
        response_format: { type: 'text' },
        user: 'me',
      },
      ...{ metadata: { a: 'b' }, store: false, service_tier: 'auto', parallel_tool_calls: true },
      messages: [
        user([
          { type: 'text', text: 'Hel' },
          { type: 'text', text: 'lo' },
        ]),
      ],
    }),
  );
  expect(answer.status).toBe(200);
  expect(answer.body.choices).toEqual((await post(url, CHAT, chat())).body.choices);
});

describe('bodies', () => {
  it.each<[string, string, number, string]>([
    ['half of JSON', '{"messages": [', 400, 'invalid_json'],
    ['no JSON', 'messages=hello', 400, 'invalid_json'],
    ['nothing', '', 400, 'invalid_json'],
    ['a list', '[]', 400, 'invalid_type'],
    ['null', 'null', 400, 'invalid_type'],
    ['a prototype', '{"__proto__": {"stream": true}}', 400, 'invalid_json'],
  ])('of %s', async (_what, body, status, code) => {
    expectError(await post(url, CHAT, body), { status, code });
  });

  it('of 10 MB', async () => {
    const answer = await post(url, CHAT, chat({ user: 'x'.repeat(10_000_000) }));
    expectError(answer, { status: 413, code: 'body_too_large' });
  });

  it('of another type', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await post(url, CHAT, JSON.stringify(chat()), { 'content-type': type });
      expectError(answer, { status: 415, code: 'unsupported_media_type' });
    }
  });
});

it('other places are not there', async () => {
  const unknown = { status: 404, code: 'unknown_url' };
  expectError(await post(url, '/v1/embeddings', {}), { ...unknown, message: /\/v1\/embeddings/ });
  const got = await fetch(`${url}${CHAT}`);
  expectError({ ...got, status: got.status, body: await got.json() } as never, unknown);
});

it('nothing failed within', () => {
  expect(failures).toEqual([]);
});
