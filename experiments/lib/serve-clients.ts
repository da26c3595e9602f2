/** Clients of a server under load: those that want answers, and those that do it harm. */
import { connect } from 'node:net';
import { complete } from '../../src/decoding/generate.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Model } from '../../src/engine/load-model.js';
import type { Random } from '../../src/random.js';

/** A request, and the texts of its choices as the library makes them one token at a time. */
export interface KnownRequest {
  readonly body: object;
  readonly texts: readonly string[];
}

const NEW_TOKENS = 48;
const COMPLETIONS = '/v1/completions';

/**
 * Of each prompt some requests: greedy, sampled, of two choices; and one that goes on with the first answer, as the next turn of a
 * conversation does.
 */
export async function knownRequests(
  { engine, tokenizer }: Model,
  prompts: readonly string[],
): Promise<KnownRequest[]> {
  if (!tokenizer) throw new Error('the model has no tokenizer');
  const textOf = async (text: string, seed: number, temperature: number) => {
    const prompt = tokenizer.encodePrompt(text);
    const sampling = { ...GREEDY, temperature, seed };
    const request = { prompt, tokenizer, sampling, maxNewTokens: NEW_TOKENS };
    return (await complete(engine, request)).text;
  };
  const known: KnownRequest[] = [];
  for (const [seed, prompt] of prompts.entries()) {
    const common = { prompt, seed, max_tokens: NEW_TOKENS };
    const greedy = await textOf(prompt, seed, 0);
    const sampled = await textOf(prompt, seed, 1);
    const second = await textOf(prompt, seed + 1, 1);
    const next = `${prompt}${greedy}\n`;
    known.push(
      { body: { ...common, temperature: 0 }, texts: [greedy] },
      { body: { ...common, temperature: 1, n: 2, logprobs: 2 }, texts: [sampled, second] },
      { body: { ...common, temperature: 1 }, texts: [sampled] },
      { body: { ...common, prompt: next, temperature: 0 }, texts: [await textOf(next, seed, 0)] },
    );
  }
  return known;
}

function post(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}${COMPLETIONS}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal && { signal }),
  });
}

interface AnswerBody {
  readonly choices: readonly { readonly index: number; readonly text: string }[];
}

/** The texts of an answer's choices, whole or streamed. */
export async function answerTexts(url: string, { body }: KnownRequest, stream: boolean) {
  const response = await post(url, { ...body, stream });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  const texts: string[] = [];
  const add = ({ choices }: AnswerBody) => {
    for (const choice of choices) texts[choice.index] = (texts[choice.index] ?? '') + choice.text;
  };
  if (!stream) add(JSON.parse(text));
  else
    for (const event of text.trim().split('\n\n'))
      if (event !== 'data: [DONE]') add(JSON.parse(event.replace('data: ', '')));
  return texts;
}

/** What harm is done: each ends by itself, and says by which status it was answered. */
export const HARM: Readonly<
  Record<string, (url: string, known: KnownRequest) => Promise<unknown>>
> = {
  async 'cut in the middle'(url, { body }) {
    const controller = new AbortController();
    const response = await post(url, { ...body, stream: true }, controller.signal);
    await response.body?.getReader().read();
    controller.abort();
  },
  async 'cut while it waits'(url, { body }) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    await post(url, body, controller.signal).catch(() => {});
  },
  async 'slow reader'(url, { body }) {
    const response = await post(url, { ...body, stream: true });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await response.text();
  },
  'half a request': (url) =>
    new Promise((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
        socket.write(
          `POST ${COMPLETIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{`,
        );
        setTimeout(() => socket.destroy(), 500);
      });
      socket.on('error', () => {}).on('close', resolve);
    }),
  // The server may close before all of it is sent.
  '10 MB': (url) => post(url, `{"prompt": "${'x'.repeat(10_000_000)}"}`).catch(() => {}),
  'deep JSON': (url) => post(url, `{"prompt": ${'['.repeat(200_000)}`),
};

/** Does some harm. */
export async function harm(url: string, known: KnownRequest, random: Random): Promise<string> {
  const names = Object.keys(HARM);
  const name = names[random.integer(names.length)]!;
  const answer = await HARM[name]!(url, known);
  if (answer instanceof Response) await answer.text();
  return name;
}
