import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTokenizer } from '../../src/checkpoint/tokenizer.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import type { Engine } from '../../src/engine/engine.js';
import { InputError } from '../../src/errors.js';
import { evaluate, evaluationMemory } from '../../src/evaluation/evaluate.js';
import { askedGrid, checkGrid, gridPrompts, promptsOfLength } from '../../src/evaluation/grid.js';
import { measuredSpeedup } from '../../src/evaluation/speedup.js';
import { summarise } from '../../src/evaluation/summary.js';
import { demo } from '../helpers/engine.js';
import { LOOKUP, loadSmallEngine, PROMPTS, REQUEST } from './example.js';

const tokenizer = loadTokenizer(demo)!;
const model = { tokenizer, reference: 'demo' };
const TEXTS = ['the first text of them', 'a second one', 'and then the third'];

function dataset(texts: readonly string[]): Dataset {
  const prompts = texts.map((prompt, i) => ({ id: `x-${i}`, dataset: 'x', prompt, stop: [] }));
  return { name: 'x', split: null, version: 1, hash: 'x', prompts };
}

describe('prompts of a length', () => {
  const texts = (length: number, limit?: number) =>
    promptsOfLength(model, [dataset(TEXTS)], limit, [length]).prompts.map(({ tokens }) => {
      expect(tokens.length).toBe(length);
      return tokenizer.decode(tokens);
    });

  test('end with their own text, and lose its beginning where it is longer', () => {
    for (const [i, text] of texts(4).entries()) expect(TEXTS[i]).toContain(text.trim());
  });

  test('have the texts before them in front, those of the end before the first', () => {
    const before = texts(26, 2).map((text) => text.replace(/\s+/g, ' '));
    expect(before.length).toBe(2);
    expect(before[0]!.endsWith(` ${TEXTS[1]} ${TEXTS[2]} ${TEXTS[0]}`)).toBe(true);
    expect(before[1]!.endsWith(` ${TEXTS[2]} ${TEXTS[0]} ${TEXTS[1]}`)).toBe(true);
  });

  test('say so where the text comes round again', () => {
    const { warnings, datasets } = promptsOfLength(model, [dataset(TEXTS)], undefined, [4, 200]);
    expect(warnings).toEqual([expect.stringMatching(/"x" has too little text .* 200 tokens/)]);
    expect(datasets[0]).toMatchObject({ name: 'x', prompts: 3 });
    expect(promptsOfLength(model, [dataset(TEXTS)], undefined, [4]).warnings).toEqual([]);
  });
});

test('a grid is where several lengths are asked for, sorted and once each', () => {
  expect(askedGrid(undefined, [128])).toBeUndefined();
  expect(askedGrid(undefined, [64, 8, 64])).toEqual({
    prompt_tokens: null,
    max_new_tokens: [8, 64],
  });
  expect(askedGrid([64], [8])).toEqual({ prompt_tokens: [64], max_new_tokens: [8] });
});

describe('an evaluation of a grid', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadSmallEngine();
  });
  afterAll(() => engine.close());
  const prompts = gridPrompts(PROMPTS, { prompt_tokens: null, max_new_tokens: [3, 20] });

  test('has rows for each cell, of outputs as long as the cell says', async () => {
    const request = { ...REQUEST, methods: [LOOKUP], prompts, repetitions: 1 };
    const result = await evaluate({ engine, tokenizer: null }, request);
    const rows = summarise(result, []).filter(({ method }) => method === 'lookup');
    expect(rows.map(({ dataset, prompts, new_tokens }) => [dataset, prompts, new_tokens])).toEqual([
      ['a:+3', 2, 6],
      ['a:+20', 2, 40],
      ['b:+3', 1, 3],
      ['b:+20', 1, 20],
      ['all', 6, 69],
    ]);
    expect(rows.map(({ prompt_tokens }) => prompt_tokens)).toEqual([5.5, 5.5, 70, 70, 27]);
    // What a longer output had said is not looked up for a shorter one: as if each cell were measured alone.
    for (const length of [3, 20]) {
      const alone = await evaluate(
        { engine, tokenizer: null },
        { ...request, prompts: PROMPTS, maxNewTokens: length },
      );
      for (const { prompt, method, statistics } of alone.samples) {
        const inGrid = result.samples.find(
          (other) =>
            other.prompt.id === prompt.id &&
            other.prompt.maxNewTokens === length &&
            other.method.name === method.name,
        );
        expect(inGrid?.statistics.targetPasses).toBe(statistics.targetPasses);
      }
    }
  });

  test('has an interval of as many prompts as there are, however many cells they are in', async () => {
    const request = { ...REQUEST, methods: [LOOKUP], prompts };
    const result = await evaluate({ engine, tokenizer: null }, request);
    const [, method] = result.methods;
    // The same times as those of turns, which are known to be one cluster.
    const asTurns = new Map(
      prompts.map(({ cell, id, ...prompt }, turn) => {
        const conversation = { id, turns: [], turn, form: { chat: false } as const };
        return [prompts[turn], { ...prompt, id, dataset: cell!.dataset, conversation }];
      }),
    );
    const samples = result.samples.map((sample) => ({
      ...sample,
      prompt: asTurns.get(sample.prompt)!,
    }));
    const turns = { ...result, samples, prompts: [...asTurns.values()] };
    expect(measuredSpeedup(result, prompts, method!)).toEqual(
      measuredSpeedup(turns, turns.prompts, method!),
    );
  });

  test('learns in each cell for itself', () => {
    const memoryOf = evaluationMemory();
    const of = (i: number) => memoryOf(LOOKUP, 0, prompts[i]!);
    expect(of(0)).toBe(of(2));
    expect(of(0)).not.toBe(of(1));
  });

  test('is refused where a cell does not fit the context', () => {
    const { contextLength } = engine.config;
    const grid = { prompt_tokens: [8, contextLength - 10], max_new_tokens: [4, 11] };
    expect(() => checkGrid(grid, engine)).toThrow(InputError);
    expect(() => checkGrid({ ...grid, max_new_tokens: [10] }, engine)).not.toThrow();
  });
});
