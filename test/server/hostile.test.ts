import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/engine/load-model.js';
import { drafting, failures, metric, post, serve, textModel, until } from './helpers.js';

let model: Model;
beforeAll(async () => {
  model = await textModel({ contextLength: 4096 });
});

const COMPLETIONS = '/v1/completions';
const short = { prompt: 'One day', max_tokens: 5, temperature: 1, seed: 4 };

/** Connections to a server; all are open when it is fulfilled. */
async function connections(url: string, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () =>
    connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {}),
  );
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

const requestText = (body: object) => {
  const json = JSON.stringify(body);
  return `POST ${COMPLETIONS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
};

describe('JSON that is meant to do harm', () => {
  const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  it.each<[string, string, string]>([
    ['deep lists', `{"prompt": ${deep(400_000)}}`, 'invalid_value'],
    ['deep lists that never end', `{"prompt": ${'['.repeat(900_000)}`, 'invalid_json'],
    [
      'deep objects',
      `{"prompt": ${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      'invalid_value',
    ],
    [
      'many names',
      `{"prompt": "a", ${Array.from({ length: 50_000 }, (_, i) => `"x${i}": 1`)}}`,
      'unknown_parameter',
    ],
    ['a number past all', '{"prompt": "a", "max_tokens": 1e999}', 'invalid_value'],
    ['a constructor', '{"prompt": "a", "constructor": {"prototype": {"n": 9}}}', 'invalid_json'],
    ['a name of all objects', '{"prompt": "a", "toString": 1}', 'unknown_parameter'],
    ['many ids', `{"prompt": [${Array(300_000).fill(1)}]}`, 'context_length_exceeded'],
    ['a long name', `{"prompt": "a", "model": "${'x'.repeat(900_000)}"}`, 'model_not_found'],
    ['a long parameter', `{"prompt": "a", "${'x'.repeat(900_000)}": 1}`, 'unknown_parameter'],
    ['a long profile', `{"prompt": "a", "profile": "${'x'.repeat(900_000)}"}`, 'profile_not_found'],
    ['half a character', '{"prompt": "a", "model": "\\ud800"}', 'model_not_found'],
    [
      'bytes that are no UTF-8',
      '{"prompt": "a\\u0000", "stop": ["\\u0000"], "n": "1"}',
      'invalid_value',
    ],
  ])('is refused: %s', async (_what, body, code) => {
    const { url } = await serve(model);
    const answer = await post(url, COMPLETIONS, body);
    expect(answer.body.error).toMatchObject({ code, type: 'invalid_request_error' });
    // Nor does it come back.
    expect(JSON.stringify(answer.body).length).toBeLessThan(1000);
    expect((await post(url, COMPLETIONS, short)).status).toBe(200);
  });
});

it('who reads slowly keeps nobody waiting, and gets it all', async () => {
  const { url } = await serve(model, { method: drafting });
  const body = { prompt: 'One', max_tokens: 1500, stream: true, logprobs: 20 };
  const [socket] = await connections(url, 1);
  socket!.pause();
  socket!.write(requestText(body));
  await until(async () => (await metric(url, 'completion_tokens_total')) === 1500);
  // All is made, nothing is read.
  expect(socket!.bytesRead).toBeLessThan(1_000_000);
  expect((await post(url, COMPLETIONS, short)).status).toBe(200);
  let read = '';
  socket!.setEncoding('utf8').on('data', (text) => {
    read += text;
  });
  socket!.resume();
  await until(() => read.includes('data: [DONE]'));
  expect(read.length).toBeGreaterThan(1_000_000);
  socket!.destroy();
});

it('1,000 connections, one of ten asking, and all get the right answer', async () => {
  const { url } = await serve(model, { method: drafting, maxQueue: 100 });
  const { body } = await post(url, COMPLETIONS, short);
  const sockets = await connections(url, 1000);
  const answers = sockets
    .filter((_, i) => i % 10 === 0)
    .map(async (socket) => {
      let read = '';
      socket.setEncoding('utf8').on('data', (text) => {
        read += text;
      });
      socket.write(requestText(short));
      await until(() => read.includes('"usage"'));
      return read;
    });
  for (const answer of await Promise.all(answers)) {
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(answer).toContain(`"text":${JSON.stringify(body.choices[0].text)}`);
  }
  for (const socket of sockets.slice(0, 900)) socket.destroy();
  expect((await post(url, COMPLETIONS, short)).body.choices).toEqual(body.choices);
  for (const socket of sockets) socket.destroy();
});

it('nothing failed within', () => {
  expect(failures).toEqual([]);
});
