import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { complete } from '../../src/decoding/generate.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Model } from '../../src/engine/load-model.js';
import { drafting, failures, metric, post, serve, textModel, until } from './helpers.js';

let model: Model;
/** One whose generations take minutes unless they are stopped. */
let slow: Model;
beforeAll(async () => {
  model = await textModel();
  slow = await textModel({ contextLength: 60_000 });
});

const COMPLETIONS = '/v1/completions';
const endless = { prompt: 'One day', max_tokens: 50_000 };
const short = { prompt: 'One day', max_tokens: 3 };
const patient = { maxTokens: 50_000 };

function start(url: string, body: object) {
  const controller = new AbortController();
  const answer = fetch(`${url}${COMPLETIONS}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: controller.signal,
  });
  answer.catch(() => {});
  return { answer, cut: () => controller.abort() };
}

const running = async (url: string) => (await metric(url, 'running')) === 1;
const idle = async (url: string) => !(await running(url));

it('200 at once, where 4 may wait: right answers, and 429 for the others', async () => {
  const { url } = await serve(model, { method: drafting, maxQueue: 4 });
  const { tokenizer } = model;
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const request = { prompt: `Day ${i % 5}`, seed: i % 3, temperature: 1, max_tokens: 20 };
      return { request, answer: await post(url, COMPLETIONS, request) };
    }),
  );
  const served = answers.filter(({ answer }) => answer.status === 200);
  expect(served.length).toBeGreaterThanOrEqual(5);
  expect(served.length).toBeLessThan(200);
  for (const { request, answer } of served) {
    const prompt = tokenizer!.encodePrompt(request.prompt);
    const sampling = { ...GREEDY, temperature: 1, seed: request.seed };
    const { text } = await complete(model.engine, {
      ...{ prompt, tokenizer, sampling, maxNewTokens: 20 },
    });
    expect(answer.body.choices[0].text).toBe(text);
  }
  for (const { answer } of answers) {
    if (answer.status === 200) continue;
    expect(answer.status).toBe(429);
    expect(answer.body.error).toMatchObject({ code: 'queue_full', type: 'rate_limit_error' });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  }
  const text = await (await fetch(`${url}/metrics`)).text();
  const counted = (status: number) =>
    text.match(
      new RegExp(`requests_total\\{route="${COMPLETIONS}",status="${status}"\\} (\\d+)`),
    )?.[1];
  expect(Number(counted(200))).toBe(served.length);
  expect(Number(counted(429))).toBe(200 - served.length);
  expect(await metric(url, 'completion_tokens_total')).toBe(20 * served.length);
  expect(await metric(url, 'accepted_tokens_total')).toBeGreaterThan(0);
  expect(await metric(url, 'queue_length')).toBe(0);
  expect(await metric(url, 'queue_seconds_total')).toBeGreaterThan(0);
  for (const phase of ['prefill', 'draft', 'verify', 'javascript'])
    expect(await metric(url, `seconds_total{phase="${phase}"}`)).toBeGreaterThan(0);
});

describe('a client that goes away', () => {
  it.each([true, false])('stops its generation (stream: %s)', async (stream) => {
    const { url } = await serve(slow, patient);
    const { answer, cut } = start(url, { ...endless, stream });
    if (stream) await (await answer).body!.getReader().read();
    else await until(() => running(url));
    await until(async () => (await metric(url, 'completion_tokens_total')) > 3);
    cut();
    await until(() => idle(url));
    const made = await metric(url, 'completion_tokens_total');
    expect(made).toBeLessThan(endless.max_tokens);
    expect((await post(url, COMPLETIONS, short)).status).toBe(200);
    expect(await metric(url, 'completion_tokens_total')).toBe(made + 3);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('status="499"} 1');
  });

  it('loses its place among those that wait', async () => {
    const { url } = await serve(slow, { ...patient, maxQueue: 1 });
    const first = start(url, endless);
    await until(() => running(url));
    const second = start(url, endless);
    await until(async () => (await metric(url, 'queue_length')) === 1);
    expect((await post(url, COMPLETIONS, short)).status).toBe(429);
    second.cut();
    await until(async () => (await metric(url, 'queue_length')) === 0);
    const third = start(url, short);
    await until(async () => (await metric(url, 'queue_length')) === 1);
    first.cut();
    expect((await third.answer).status).toBe(200);
  });

  it('before the prompt is read does not have it read to its end', async () => {
    const { url } = await serve(slow, patient);
    const { cut } = start(url, { ...endless, prompt: 'x'.repeat(50_000) });
    await until(() => running(url));
    cut();
    await until(() => idle(url));
    expect(await metric(url, 'completion_tokens_total')).toBe(0);
    expect((await post(url, COMPLETIONS, short)).status).toBe(200);
  });
});

describe('a request that takes too long', () => {
  it('is ended', async () => {
    const { url } = await serve(slow, { ...patient, timeout: 0.3 });
    const { status, body } = await post(url, COMPLETIONS, endless);
    expect(status).toBe(504);
    expect(body.error).toMatchObject({ code: 'timeout', type: 'server_error' });
    const streamed = await (await start(url, { ...endless, stream: true }).answer).text();
    const last = streamed.trim().split('\n\n').at(-1)!;
    expect(JSON.parse(last.replace('data: ', '')).error.code).toBe('timeout');
    expect(await idle(url)).toBe(true);
  });
});

it('half a request keeps nobody from being served', async () => {
  const { url, close } = await serve(model);
  const port = Number(new URL(url).port);
  const halves = [
    '',
    'GET / HT',
    'POST /v1/completions HTTP/1.1\r\nHost: a\r\n',
    'POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"pro',
  ];
  const sockets = halves.map((half) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(half));
    return socket.on('error', () => {});
  });
  expect((await post(url, COMPLETIONS, short)).status).toBe(200);
  for (const socket of sockets.slice(0, 2)) socket.destroy();
  const nonsense = connect(port, '127.0.0.1', () =>
    nonsense.write('\u0000\u0001 nonsense\r\n\r\n'),
  );
  nonsense.on('error', () => {});
  expect((await post(url, COMPLETIONS, short)).status).toBe(200);
  // Nor the server from stopping.
  await close();
  for (const socket of [...sockets, nonsense]) socket.destroy();
});

describe('a server that stops', () => {
  it('lets the running request end, sends the waiting ones away, and takes no more', async () => {
    const { url, close, server } = await serve(slow, patient);
    const first = start(url, { ...endless, max_tokens: 400 });
    await until(() => server.totals.completionTokens > 0);
    const second = start(url, short);
    await until(async () => (await metric(url, 'queue_length')) === 1);
    const closed = close(60);
    const { status } = await second.answer;
    expect(status).toBe(503);
    const refused = await start(url, short).answer.catch(() => null);
    expect(refused?.status ?? 503).toBe(503);
    const answer = await first.answer;
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { usage: { completion_tokens: number } };
    expect(body.usage.completion_tokens).toBe(400);
    await closed;
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it('ends what runs after that', async () => {
    for (const stream of [false, true]) {
      const { url, close, server } = await serve(slow, patient);
      const { answer } = start(url, { ...endless, stream });
      await until(() => server.totals.completionTokens > 0);
      await close(0);
      const text = await (await answer).text();
      expect(text).toContain('"code":"shutting_down"');
      expect(server.totals.completionTokens).toBeLessThan(endless.max_tokens);
    }
  });
});

it('nothing failed within', () => {
  expect(failures).toEqual([]);
});
