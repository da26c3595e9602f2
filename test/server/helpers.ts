import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Method } from '../../src/decoding/method.js';
import { loadModel, type Model } from '../../src/engine/load-model.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { DEFAULT_LIMITS, type ServerOptions } from '../../src/server/options.js';
import { createServer } from '../../src/server/server.js';
import { byteLetters } from '../helpers/byte-letters.js';
import { writeByteLevel } from '../helpers/byte-level.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';

const TEMPLATE = `{% for message in messages %}{% if message.content == 'never' %}{{ raise_exception('not that') }}{% endif %}
[{{ message.role }}] {{ message.content }}{% endfor %}
[assistant] `;

/** A token for each letter, for the bytes of two characters that take several, and for some words. */
function vocabulary(): string[] {
  const letters = byteLetters();
  const printable = Array.from({ length: 95 }, (_, i) => [32 + i]);
  const bytes = [...Buffer.from('é'), ...Buffer.from('🙂')].map((byte) => [byte]);
  const words = Array.from({ length: 26 }, (_, i) => [...Buffer.from(` ${'abcdefgh'[i % 8]}${i}`)]);
  const tokens = [[10], ...printable, ...bytes, ...words];
  return tokens.map((token) => token.map((byte) => letters[byte]!).join(''));
}

/** A miniature with a tokenizer, on one thread; with a chat template unless told otherwise. */
export async function textModel({ chat = true, contextLength = 512 } = {}): Promise<Model> {
  const tokens = vocabulary();
  const { directory } = writeMiniature(temporaryDirectory(), {
    ...{ vocabSize: tokens.length, contextLength, layers: 3, hiddenSize: 32 },
  });
  writeByteLevel(directory, tokens);
  if (chat) writeFileSync(join(directory, 'chat_template.jinja'), TEMPLATE);
  const model = await loadModel(directory, { precision: 'fp32', threads: 1 });
  opened.push(() => model.close());
  return model;
}

const opened: (() => Promise<void>)[] = [];
afterAll(async () => {
  // Servers come after their models.
  for (const close of opened.splice(0).reverse()) await close();
});

/** Drafts that are often right, and as often wrong. */
export const drafting: Method = {
  name: 'skip',
  plan: skipPlan({ attention: [1], mlp: [] }),
  draftLength: 4,
  exit: { exit: 'fixed' },
};

/** What went wrong within servers of this test file. */
export const failures: string[] = [];

/** What a test asks of a server; `method` is that of its only profile. */
export type Asked = Partial<ServerOptions> & { readonly method?: Method };

/** A server at a free port; what is not given is as `sspec serve` has it, but for greedy decoding. */
export async function serve(model: Model, { method, ...options }: Asked = {}) {
  const server = createServer(model, {
    ...DEFAULT_LIMITS,
    profiles: [{ name: 'default', method: method ?? { name: 'autoregressive' }, costs: null }],
    sampling: { temperature: 0, topK: 0, topP: 1, minP: 0 },
    coupling: 'gumbel',
    modelName: 'mini',
    apiKey: null,
    cors: [],
    hosts: null,
    onFailure: (message) => failures.push(message),
    ...options,
  });
  const url = await server.listen('127.0.0.1', 0);
  let open = true;
  const close = async (grace = 0) => {
    if (open) await server.close(grace);
    open = false;
  };
  opened.push(close);
  return { server, url, close };
}

/** Sends JSON; `body` may be text of any kind. */
export async function post(url: string, path: string, body: unknown, headers = {}) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text) };
}

/** A counter or gauge of GET /metrics. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`sspec_${name} `));
  return Number(line?.split(' ')[1]);
}

/** Waits until something holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
