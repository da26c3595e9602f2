import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complete, type GenerateRequest, generate } from '../../src/decoding/generate.js';
import type { Method } from '../../src/decoding/method.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Engine } from '../../src/engine/engine.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { byteTokenizer } from '../helpers/byte-tokenizer.js';
import { loadMiniature } from '../helpers/engine.js';
import { uniforms } from '../helpers/random.js';

const tokenizer = byteTokenizer();
const prompt = [0, 1, 2];
const maxNewTokens = 60;
const methods: Method[] = [
  { name: 'autoregressive' },
  {
    name: 'skip',
    plan: skipPlan({ attention: [1], mlp: [] }),
    draftLength: 6,
    exit: { exit: 'threshold', threshold: 0.3 },
  },
  { name: 'lookup' },
];
/** Texts come by seed; every one is run by every method. */
const seeds = Array.from({ length: 12 }, (_, seed) => seed);

let engine: Engine;
beforeAll(async () => {
  const size = { vocabSize: 16, contextLength: 128, layers: 2, hiddenSize: 32 };
  engine = await loadMiniature(size, 'fp32', 1);
});
afterAll(() => engine.close());

const requestOf = (seed: number, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  prompt,
  maxNewTokens,
  tokenizer,
  sampling: { ...GREEDY, temperature: 4, seed },
  ...more,
});

/** A generation with the tokens and texts of its events put together. */
async function stream(request: GenerateRequest) {
  const running = generate(engine, request);
  const pieces: string[] = [];
  const tokens: number[] = [];
  for (;;) {
    const step = await running.next();
    if (step.done) return { pieces, streamed: tokens, made: step.value };
    pieces.push(step.value.text);
    tokens.push(...step.value.tokens);
  }
}

/** By definition: tokens up to the first whose text holds a stop text, and the text before it. */
function cutAtStop(tokens: readonly number[], stop: readonly string[]) {
  for (let n = 1; n <= tokens.length; n++) {
    const text = tokenizer.decode(tokens.slice(0, n));
    const places = stop.map((one) => text.indexOf(one)).filter((at) => at >= 0);
    if (places.length > 0) {
      return { tokens: tokens.slice(0, n), text: text.slice(0, Math.min(...places)) };
    }
  }
  return null;
}

describe('streamed text', () => {
  it('adds up to the text of all tokens, characters spread over tokens included', async () => {
    let spread = 0;
    for (const seed of seeds) {
      for (const method of methods) {
        const { pieces, streamed, made } = await stream(requestOf(seed, { method }));
        expect(pieces.join('')).toBe(made.text);
        expect(made.text).toBe(tokenizer.decode(made.tokens));
        expect(streamed).toEqual(made.tokens);
        expect(made.tokens).toHaveLength(maxNewTokens);
        const whole = made.tokens.map((token) => tokenizer.decode([token])).join('');
        for (const character of ['é', '🙂']) {
          spread += made.text.split(character).length - whole.split(character).length;
        }
      }
    }
    expect(spread).toBeGreaterThan(seeds.length);
  });

  it('has no text without a tokenizer', async () => {
    const { pieces, made } = await stream({ prompt, maxNewTokens: 5 });
    expect(pieces.join('') + made.text).toBe('');
  });
});

describe('stop texts', () => {
  it('cut the text before them, and keep tokens up to the one that completes them', async () => {
    const random = uniforms(1);
    const below = (n: number) => Math.floor(random() * n);
    let overTokens = 0;
    let withinRounds = 0;
    for (const seed of seeds) {
      const plain = await complete(engine, requestOf(seed));
      for (let i = 0; i < 6; i++) {
        const from = below(plain.text.length - 6);
        // A text from the output, alone or beside one that never comes and one that begins like it.
        const found = plain.text.slice(from, from + 1 + below(6));
        const stop = [[found], ['never', found], [`${found}#`, found]][i % 3]!;
        if (stop.some((one) => one.includes('\uFFFD'))) continue;
        const expected = cutAtStop(plain.tokens, stop)!;
        for (const method of methods) {
          const { pieces, streamed, made } = await stream(requestOf(seed, { method, stop }));
          const what = `seed ${seed}, ${method.name}, stop ${JSON.stringify(stop)}`;
          expect(made.text, what).toBe(expected.text);
          expect(made.tokens, what).toEqual(expected.tokens);
          expect(made.finishReason).toBe('stop');
          expect(pieces.join('')).toBe(expected.text);
          expect(streamed).toEqual(expected.tokens);
          expect(made.statistics.newTokens).toBe(expected.tokens.length);
          const { targetPasses, acceptedTokens } = made.statistics;
          if (1 + targetPasses + acceptedTokens > expected.tokens.length) withinRounds++;
        }
        const last = tokenizer.decode(expected.tokens.slice(-1));
        if (!last.includes(found)) overTokens++;
      }
    }
    expect(overTokens).toBeGreaterThan(10);
    expect(withinRounds).toBeGreaterThan(5);
  });

  it('that do not come change nothing, not even at the end', async () => {
    for (const seed of seeds) {
      const plain = await complete(engine, requestOf(seed));
      const tail = plain.text.slice(-3);
      const { pieces, made } = await stream(requestOf(seed, { stop: [`${tail}#`, 'never'] }));
      expect({ ...made, statistics: null }).toEqual({ ...plain, statistics: null });
      expect(pieces.join('')).toBe(plain.text);
    }
  });

  it('of which one holds another: what is complete first ends the text', async () => {
    const plain = await complete(engine, requestOf(0));
    const from = plain.text.indexOf('ab');
    const long = plain.text.slice(from, from + 4);
    const stop = [long, long.slice(1, 2)];
    const made = await complete(engine, requestOf(0, { stop }));
    const expected = cutAtStop(plain.tokens, stop)!;
    expect(made.text).toBe(expected.text);
    expect(made.tokens).toEqual(expected.tokens);
  });
});
