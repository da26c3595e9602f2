import OpenAI from 'openai';
import { beforeAll, describe, expect, it } from 'vitest';
import { complete, type GenerateRequest } from '../../src/decoding/generate.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Model } from '../../src/engine/load-model.js';
import type { Usage } from '../../src/server/answers/usage.js';
import { type Asked, drafting, failures, serve, textModel } from './helpers.js';

let model: Model;
beforeAll(async () => {
  model = await textModel();
});

async function client(options: Asked = {}) {
  const { url } = await serve(model, options);
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
}

const messages = [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content: 'Say something.' },
];
const sampled = { temperature: 1, top_p: 0.9, seed: 7, max_tokens: 40 };

/** What the library makes of the same conversation, without a server. */
function expected(more: Partial<GenerateRequest> = {}) {
  const tokenizer = model.tokenizer!;
  const prompt = tokenizer.encode(tokenizer.chat(messages));
  const sampling = { ...GREEDY, temperature: 1, topP: 0.9, seed: 7 };
  return complete(model.engine, { prompt, tokenizer, sampling, maxNewTokens: 40, ...more });
}

describe.each<[string, Asked]>([
  ['autoregressively', {}],
  ['with drafts', { method: drafting }],
  ['with prompt lookup', { method: { name: 'lookup' } }],
  ['without kept conversations', { method: drafting, conversations: 0 }],
])('a chat, decoded %s', (_how, options) => {
  it('is what generate makes for the seed', async () => {
    const openai = await client(options);
    const { text, tokens, statistics } = await expected();
    // The second time the whole prompt is known.
    for (const time of [1, 2]) {
      const answer = await openai.chat.completions.create({ model: 'mini', messages, ...sampled });
      expect(answer).toMatchObject({
        object: 'chat.completion',
        model: 'mini',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: text, refusal: null },
            finish_reason: 'length',
          },
        ],
      });
      const usage = answer.usage as unknown as Usage;
      expect(usage.completion_tokens).toBe(tokens.length);
      expect(usage.total_tokens).toBe(usage.prompt_tokens + tokens.length);
      const cached = time === 2 && options.conversations !== 0 ? usage.prompt_tokens - 1 : 0;
      expect(usage.prompt_tokens_details.cached_tokens).toBe(cached);
      expect(usage.sspec.accepted_tokens).toBeLessThanOrEqual(usage.sspec.proposed_tokens);
      if (options.method === drafting) expect(usage.sspec.accepted_tokens).toBeGreaterThan(0);
      expect(usage.sspec.target_passes + usage.sspec.accepted_tokens).toBe(tokens.length - 1);
      expect(statistics.targetPasses).toBe(tokens.length - 1);
    }
  });

  it('streams the same text, whole characters only', async () => {
    const openai = await client(options);
    const { text, tokens } = await expected();
    const stream = await openai.chat.completions.create({
      ...{ model: 'mini', messages, ...sampled, stream: true },
      stream_options: { include_usage: true },
    });
    let streamed = '';
    let counted = 0;
    const pieces: { text: string; accepted: boolean }[] = [];
    const reasons: unknown[] = [];
    let usage: Usage | undefined;
    for await (const chunk of stream) {
      expect(chunk.object).toBe('chat.completion.chunk');
      if (chunk.usage) usage = chunk.usage as unknown as Usage;
      const [choice] = chunk.choices;
      streamed += choice?.delta.content ?? '';
      if (choice?.finish_reason) reasons.push(choice.finish_reason);
      const { sspec } = chunk as unknown as { sspec?: { tokens?: number; pieces?: typeof pieces } };
      if (!sspec?.pieces) continue;
      expect(sspec.pieces.map((piece) => piece.text).join('')).toBe(choice?.delta.content);
      pieces.push(...sspec.pieces);
      counted += sspec.tokens ?? 0;
    }
    expect(streamed).toBe(text);
    expect(pieces.map((piece) => piece.text).join('')).toBe(text);
    expect(reasons).toEqual(['length']);
    expect(counted).toBeLessThanOrEqual(tokens.length);
    expect(usage?.completion_tokens).toBe(tokens.length);
    const accepted = pieces.filter((piece) => piece.accepted).length;
    // A token can have no text of its own, or text in two pieces.
    if (options.method === drafting) expect(accepted).toBeGreaterThan(0);
    else if (!options.method) expect(accepted).toBe(0);
  });
});

describe('a conversation that goes on', () => {
  it('runs what is new, and its text does not change by it', async () => {
    const kept = await client({ method: drafting, conversations: 2 });
    const fresh = await client({ method: drafting, conversations: 0 });
    const told: (typeof messages)[number][] = [...messages];
    const other = { ...messages[1]!, content: 'Something else.' };
    let cached = 0;
    for (let turn = 0; turn < 4; turn++) {
      const request = { model: 'mini', messages: told, ...sampled, seed: turn, max_tokens: 25 };
      const [a, b] = [
        await kept.chat.completions.create(request),
        await fresh.chat.completions.create(request),
      ];
      expect(a.choices).toEqual(b.choices);
      cached += a.usage?.prompt_tokens_details?.cached_tokens ?? 0;
      // Another conversation with the same beginning, in between.
      const aside = { ...request, messages: [messages[0]!, other] };
      expect((await kept.chat.completions.create(aside)).choices).toEqual(
        (await fresh.chat.completions.create(aside)).choices,
      );
      told.push(a.choices[0]!.message as never, { role: 'user', content: `And then, ${turn}?` });
    }
    expect(cached).toBeGreaterThan(200);
  });
});

describe('POST /v1/completions', () => {
  const prompt = 'Once upon a time';
  const text = (choice: { text: string }) => choice.text;

  it('continues text and token ids alike', async () => {
    const openai = await client({ method: drafting });
    const ids = model.tokenizer!.encodePrompt(prompt);
    const made = await complete(model.engine, {
      ...{ prompt: ids, tokenizer: model.tokenizer, maxNewTokens: 16 },
    });
    const request = { model: 'mini', seed: 3 };
    const asked = [prompt, ids, [prompt, 'One day'], [ids]] as const;
    for (const one of asked) {
      const answer = await openai.completions.create({ ...request, prompt: one as string });
      expect(answer.object).toBe('text_completion');
      expect(answer.choices[0]).toMatchObject({ text: made.text, finish_reason: 'length' });
      expect(answer.choices).toHaveLength(one === asked[2] ? 2 : 1);
      expect(answer.usage?.completion_tokens).toBe(16 * answer.choices.length);
    }
  });

  it('makes n choices, whose seeds follow each other', async () => {
    const openai = await client({ method: drafting });
    const request = { model: 'mini', prompt, temperature: 1, max_tokens: 20 };
    const three = await openai.completions.create({ ...request, seed: 5, n: 3 });
    expect(three.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(new Set(three.choices.map(text)).size).toBe(3);
    for (const i of [0, 1, 2]) {
      const alone = await openai.completions.create({ ...request, seed: 5 + i });
      expect(alone.choices.map(text)).toEqual([three.choices[i]!.text]);
    }
    const { length } = model.tokenizer!.encodePrompt(prompt);
    expect(three.usage).toMatchObject({ prompt_tokens: length, completion_tokens: 60 });
    const streamed = ['', '', ''];
    const stream = await openai.completions.create({ ...request, seed: 5, n: 3, stream: true });
    for await (const { choices } of stream) {
      for (const choice of choices) streamed[choice.index] += choice.text;
    }
    expect(streamed).toEqual(three.choices.map(text));
  });

  it('draws a seed where none is given, and tells it', async () => {
    const openai = await client();
    const request = { model: 'mini', prompt, temperature: 1, max_tokens: 30 };
    const answers = [
      await openai.completions.create(request),
      await openai.completions.create(request),
    ];
    const [a, b] = answers.map((one) => one as unknown as { sspec: { seed: number } });
    expect(a!.sspec.seed).not.toBe(b!.sspec.seed);
    expect(answers[0]!.choices).not.toEqual(answers[1]!.choices);
    const again = await openai.completions.create({ ...request, seed: a!.sspec.seed });
    expect(again.choices).toEqual(answers[0]!.choices);
  });

  it.each([false, true])('ends before a stop text (stream: %s)', async (stream) => {
    const openai = await client({ method: drafting });
    const request = { model: 'mini', prompt, max_tokens: 40, seed: 1, temperature: 1 };
    const whole = (await openai.completions.create(request)).choices[0]!.text;
    const stop = whole.slice(9, 11);
    for (const one of [stop, ['never this', stop]]) {
      if (stream) {
        let streamed = '';
        let reason: unknown;
        for await (const { choices } of await openai.completions.create({
          ...{ ...request, stop: one, stream: true },
        })) {
          streamed += choices[0]!.text;
          reason = choices[0]!.finish_reason ?? reason;
        }
        expect(streamed).toBe(whole.slice(0, whole.indexOf(stop)));
        expect(reason).toBe('stop');
      } else {
        const { choices } = await openai.completions.create({ ...request, stop: one });
        expect(choices[0]).toMatchObject({
          text: whole.slice(0, whole.indexOf(stop)),
          finish_reason: 'stop',
        });
      }
    }
  });
});

it('GET /v1/models tells of the one model', async () => {
  const openai = await client({ method: drafting });
  const { data } = await openai.models.list();
  expect(data).toMatchObject([
    { id: 'mini', object: 'model', sspec: { chat: true, method: 'skip', context_length: 512 } },
  ]);
  expect(await openai.models.retrieve('mini')).toMatchObject({ id: 'mini' });
  await expect(openai.models.retrieve('other')).rejects.toMatchObject({ status: 404 });
});

it('nothing failed within', () => {
  expect(failures).toEqual([]);
});
