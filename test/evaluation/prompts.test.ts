import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadTokenizer } from '../../src/checkpoint/tokenizer.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import type { Model } from '../../src/engine/load-model.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { tokenizePrompts } from '../../src/evaluation/prompts.js';
import { demo, loadEngine } from '../helpers/engine.js';
import { REQUEST } from './example.js';

let model: Model;
beforeAll(async () => {
  const engine = await loadEngine(demo, 'int8');
  const tokenizer = loadTokenizer(demo);
  const close = () => engine.close();
  model = { reference: 'demo', directory: demo, engine, tokenizer, close };
});
afterAll(() => model.close());

function dataset(name: string, texts: readonly string[], stop: readonly string[] = []): Dataset {
  const prompts = texts.map((prompt, i) => ({ id: `${name}-${i}`, dataset: name, prompt, stop }));
  return { name, split: null, version: 1, hash: name, prompts };
}

test('tokenizes as a prompt and keeps the stop texts', () => {
  const { prompts, datasets } = tokenizePrompts(
    model,
    [dataset('x', ['Hello'], ['\n'])],
    undefined,
  );
  const tokens = model.tokenizer?.encodePrompt('Hello');
  expect(prompts).toEqual([{ id: 'x-0', dataset: 'x', tokens, stop: ['\n'] }]);
  expect(datasets).toEqual([{ name: 'x', split: null, version: 1, hash: 'x', prompts: 1 }]);
});

test('the limit holds for each dataset, inside a group too', () => {
  const group = [dataset('x', ['a', 'b', 'c']), dataset('y', ['a', 'b'])];
  const mixed = { ...group[0]!, name: 'mixed', prompts: group.flatMap(({ prompts }) => prompts) };
  const { prompts, datasets } = tokenizePrompts(model, [mixed], 2);
  expect(prompts.map(({ id }) => id)).toEqual(['x-0', 'x-1', 'y-0', 'y-1']);
  expect(datasets[0]!.prompts).toBe(4);
});

test('prompts that fill the context are left out and told; a dataset without any other is refused', () => {
  const long = 'word '.repeat(2000);
  const { prompts, warnings } = tokenizePrompts(model, [dataset('x', [long, 'a'])], 1);
  expect(prompts.map(({ id }) => id)).toEqual(['x-1']);
  expect(warnings).toEqual([expect.stringMatching(/"x": 1 prompts do not fit/)]);
  expect(() => tokenizePrompts(model, [dataset('x', [long])], undefined)).toThrow(
    /"x": no prompt fits/,
  );
  // Of a dataset with parts it says which of them lose how many.
  const whole = dataset('x', [long, 'a', long, long]);
  const parts = whole.prompts.map((prompt, i) => ({ ...prompt, dataset: i < 2 ? 'x:p' : 'x:q' }));
  expect(tokenizePrompts(model, [{ ...whole, prompts: parts }], undefined).warnings).toEqual([
    expect.stringMatching(/"x": 3 prompts do not fit .* \(x:p 1, x:q 2\)\.$/),
  ]);
});

test('a prompt that comes twice and a model without a tokenizer are refused', () => {
  const twice = [dataset('x', ['a']), dataset('x', ['a'])];
  expect(() => tokenizePrompts(model, twice, undefined)).toThrow(/name each dataset once/);
  expect(() => tokenizePrompts({ ...model, tokenizer: null }, twice, undefined)).toThrow(
    /tokenizer/,
  );
});

test('a stop text ends the outputs of all methods at the same place', async () => {
  const texts = ['Once upon a time there was a little'];
  const { prompts } = tokenizePrompts(model, [dataset('x', texts, ['.'])], undefined);
  const { samples } = await evaluate(model, { ...REQUEST, methods: [], prompts, maxNewTokens: 60 });
  for (const { finishReason, tokens } of samples) {
    expect(finishReason).toBe('stop');
    expect(model.tokenizer?.decode(tokens)).toContain('.');
    expect(tokens).toBe(samples[0]!.tokens);
  }
});
