import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { complete } from '../../src/decoding/generate.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Engine } from '../../src/engine/engine.js';
import { InputError } from '../../src/errors.js';
import { evaluate, evaluationMemory, sameTokens } from '../../src/evaluation/evaluate.js';
import { loadSmallEngine, PROMPTS, REQUEST, SKIP } from './example.js';

let engine: Engine;
beforeAll(async () => {
  engine = await loadSmallEngine();
});
afterAll(() => engine.close());

describe('evaluate', () => {
  test('decodes every prompt with every method, the baseline included, in every repetition', async () => {
    const result = await evaluate({ engine, tokenizer: null }, REQUEST);
    expect(result.methods.map(({ name }) => name)).toEqual(['autoregressive', 'skip', 'lookup']);
    const keys = result.samples.map((s) => `${s.prompt.id} ${s.method.name} ${s.repetition}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBe(PROMPTS.length * 3 * REQUEST.repetitions);
    // Each repetition begins with nothing learned, and goes on with what the prompts before it taught.
    const memoryOf = evaluationMemory();
    for (const sample of result.samples) {
      const { prompt, method, tokens, statistics, rounds, elapsedSeconds } = sample;
      const alone = await complete(engine, {
        prompt: prompt.tokens,
        method: method.method,
        maxNewTokens: REQUEST.maxNewTokens,
        memory: memoryOf(method, sample.repetition, prompt),
      });
      expect(tokens).toEqual(alone.tokens);
      expect(statistics.targetPasses).toBe(alone.statistics.targetPasses);
      expect(rounds.drafted.length).toBe(statistics.targetPasses);
      const drafted = rounds.drafted.reduce((sum, n) => sum + n, 0);
      expect(drafted).toBe(alone.statistics.proposedTokens);
      expect(elapsedSeconds).toBeGreaterThanOrEqual(statistics.decodeSeconds);
    }
  });

  test('a shared prefill changes no token and no round', async () => {
    const model = { engine, tokenizer: null };
    const own = await evaluate(model, REQUEST);
    const shared = await evaluate(model, { ...REQUEST, sharePrefill: true });
    const told = ({ samples }: typeof own) =>
      samples.map(({ tokens, rounds: { drafted, accepted } }) => ({ tokens, drafted, accepted }));
    expect(told(shared)).toEqual(told(own));
  });

  test('rotates the order, so that every method takes every place with every prompt', async () => {
    const { samples } = await evaluate(
      { engine, tokenizer: null },
      { ...REQUEST, repetitions: 3, maxNewTokens: 2 },
    );
    for (const prompt of PROMPTS) {
      for (const name of ['autoregressive', 'skip', 'lookup']) {
        const own = samples.filter((s) => s.prompt === prompt && s.method.name === name);
        expect(own.map(({ order }) => order).sort()).toEqual([0, 1, 2]);
      }
    }
    const first = samples.slice(0, 9).map((s) => `${s.order} ${s.method.name}`);
    expect(first).toEqual([
      ...['0 autoregressive', '1 skip', '2 lookup'],
      ...['0 skip', '1 lookup', '2 autoregressive'],
      ...['0 lookup', '1 autoregressive', '2 skip'],
    ]);
  });

  test('adds the baseline once, also when it is asked for', async () => {
    const methods = [{ name: 'plain', method: { name: 'autoregressive' } as const }, SKIP];
    const result = await evaluate(
      { engine, tokenizer: null },
      { ...REQUEST, methods, maxNewTokens: 2 },
    );
    expect(result.methods.map(({ name }) => name)).toEqual(['autoregressive', 'skip']);
  });

  test('counts warm-up in the progress and not in the samples', async () => {
    const seen: [number, number][] = [];
    const { samples } = await evaluate(
      { engine, tokenizer: null },
      {
        ...REQUEST,
        warmup: 2,
        repetitions: 1,
        maxNewTokens: 2,
        onProgress: (...step) => seen.push(step),
      },
    );
    const total = 3 * (2 + PROMPTS.length);
    expect(samples.length).toBe(total - 6);
    expect(seen).toEqual(Array.from({ length: total + 1 }, (_, done) => [done, total]));
  });

  test('stops between two generations with the reason of the signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let generations = 0;
    const running = evaluate(
      { engine, tokenizer: null },
      {
        ...REQUEST,
        signal: controller.signal,
        onProgress: (done) => {
          generations = done;
          if (done === 4) controller.abort(reason);
        },
      },
    );
    await expect(running).rejects.toBe(reason);
    expect(generations).toBe(4);
  });

  test('gives nothing when aborted during the last generation', async () => {
    const controller = new AbortController();
    const onProgress = (done: number, total: number) => {
      if (done === total) controller.abort();
    };
    const request = { ...REQUEST, maxNewTokens: 2, signal: controller.signal, onProgress };
    await expect(evaluate({ engine, tokenizer: null }, request)).rejects.toThrow(/abort/i);
  });

  test('keeps going with sampling: Gumbel coupling gives the same outputs', async () => {
    const sampling = { ...GREEDY, temperature: 0.8, seed: 5 };
    const { samples } = await evaluate({ engine, tokenizer: null }, { ...REQUEST, sampling });
    for (const prompt of PROMPTS) {
      const outputs = samples.filter((s) => s.prompt === prompt).map((s) => s.tokens);
      expect(outputs.every((tokens) => sameTokens(tokens, outputs[0]!))).toBe(true);
    }
  });

  test('names the prompt that does not fit, before anything runs', async () => {
    const prompts = [...PROMPTS, { id: 'long', dataset: 'b', tokens: new Array(600).fill(1) }];
    const running = evaluate({ engine, tokenizer: null }, { ...REQUEST, prompts });
    await expect(running).rejects.toThrow(InputError);
    await expect(running).rejects.toThrow(/^Prompt long of b: .*600 tokens/);
  });
});
