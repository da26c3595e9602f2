import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTokenizer, type TextTokenizer } from '../../src/checkpoint/tokenizer.js';
import { loadDataset } from '../../src/datasets/load.js';
import { complete } from '../../src/decoding/generate.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/load-model.js';
import {
  addLaterTurns,
  conversationTokens,
  laterTurns,
} from '../../src/evaluation/conversation.js';
import { evaluate, sameTokens } from '../../src/evaluation/evaluate.js';
import { tokenizePrompts } from '../../src/evaluation/prompts.js';
import type { EvaluationPrompt } from '../../src/evaluation/run.js';
import { jsonl } from '../datasets/helpers.js';
import { demo, loadEngine } from '../helpers/engine.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { LOOKUP } from './example.js';

const TEMPLATE =
  "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
const ROWS = [
  { question_id: 81, category: 'writing', turns: ['a dog ran', 'now a cat', 'and a bird'] },
  { question_id: 82, category: 'stem', turns: ['the sun is'] },
];
const settings = { maxNewTokens: 6, sampling: GREEDY, coupling: 'gumbel' as const };

let engine: Engine;
let plain: TextTokenizer;
/** The bundled model's tokenizer, with a chat template. */
let chatting: TextTokenizer;
beforeAll(async () => {
  engine = await loadEngine(demo, 'int8');
  plain = loadTokenizer(demo)!;
  const folder = temporaryDirectory();
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(join(demo, name), join(folder, name));
  writeFileSync(join(folder, 'chat_template.jinja'), TEMPLATE);
  chatting = loadTokenizer(folder)!;
});
afterAll(() => engine.close());

function model(tokenizer: TextTokenizer): Model {
  return { reference: 'demo', directory: demo, engine, tokenizer, close: async () => {} };
}

function firstTurns(tokenizer: TextTokenizer): readonly EvaluationPrompt[] {
  return tokenizePrompts(model(tokenizer), [loadDataset(jsonl('q.jsonl', ...ROWS))], undefined)
    .prompts;
}

/** The model's own answer, as plain decoding gives it. */
async function answerTo(tokens: readonly number[], sampling = GREEDY): Promise<string> {
  const made = await complete(engine, { prompt: tokens, maxNewTokens: 6, sampling });
  return plain.decode(made.tokens);
}

describe('later turns', () => {
  test('follow the conversation so far with the answers of autoregressive decoding', async () => {
    const { prompts, warnings } = await addLaterTurns(model(plain), {
      ...settings,
      prompts: firstTurns(plain),
    });
    expect(warnings).toEqual([]);
    expect(prompts.map(({ id, conversation }) => [id, conversation?.turn])).toEqual([
      ['81', 1],
      ['81/turn-2', 2],
      ['81/turn-3', 3],
      ['82', undefined],
    ]);
    let text = 'a dog ran';
    expect(prompts[0]!.tokens).toEqual(plain.encodePrompt(text));
    for (const [i, turn] of ['now a cat', 'and a bird'].entries()) {
      const answer = await answerTo(plain.encodePrompt(text));
      expect(answer).not.toBe('');
      text = `${text}${answer.trimEnd()}\n\n${turn}`;
      expect(prompts[i + 1]!.tokens).toEqual(plain.encodePrompt(text));
    }
    expect(prompts.every(({ dataset }) => dataset === 'q')).toBe(true);
    expect(prompts[1]!.category).toBe('writing');
  });

  test("go through the model's chat template where it has one, the first turn too", async () => {
    const prompts = firstTurns(chatting);
    expect(prompts[0]!.tokens).toEqual(plain.encode('<user>a dog ran\n<assistant>'));
    expect(prompts[1]!.tokens).toEqual(plain.encode('<user>the sun is\n<assistant>'));
    const all = await addLaterTurns(model(chatting), { ...settings, prompts });
    const answer = (await answerTo(prompts[0]!.tokens)).trim();
    expect(all.prompts[1]!.tokens).toEqual(
      plain.encode(`<user>a dog ran\n<assistant>${answer}\n<user>now a cat\n<assistant>`),
    );
  });

  test('say in the record of the dataset that they went through the template', () => {
    const record = (tokenizer: TextTokenizer, rows: readonly object[]) =>
      tokenizePrompts(model(tokenizer), [loadDataset(jsonl('q.jsonl', ...rows))], undefined)
        .datasets[0]!.chat_template;
    expect(record(chatting, ROWS)).toBe(true);
    expect(record(plain, ROWS)).toBeUndefined();
    expect(record(chatting, [{ prompt: 'no conversation' }])).toBeUndefined();
  });

  test('have answers that repeat for a seed, sampled with it', async () => {
    const prompts = firstTurns(plain);
    const second = async (seed: number) => {
      const sampling = { ...GREEDY, temperature: 1, seed };
      const all = await addLaterTurns(model(plain), { ...settings, sampling, prompts });
      const answer = await answerTo(prompts[0]!.tokens, sampling);
      const text = `a dog ran${answer.trimEnd()}\n\nnow a cat`;
      expect(all.prompts[1]!.tokens).toEqual(plain.encodePrompt(text));
      return all.prompts[1]!.tokens;
    };
    const first = await second(1);
    expect(await second(1)).toEqual(first);
    expect(await second(2)).not.toEqual(first);
  });

  test('are decoded and counted with every method, from the same prompt', async () => {
    const { prompts } = await addLaterTurns(model(plain), {
      ...settings,
      prompts: firstTurns(plain),
    });
    const { samples } = await evaluate(model(plain), {
      ...settings,
      prompts,
      methods: [LOOKUP],
      repetitions: 1,
      warmup: 0,
    });
    expect(samples.length).toBe(2 * 4);
    for (const prompt of prompts) {
      const [a, b] = samples.filter((sample) => sample.prompt === prompt);
      expect(sameTokens(a!.tokens, b!.tokens)).toBe(true);
    }
  });

  test('that do not fit the context are left out with those after them, and told', async () => {
    const turns = [
      'a dog',
      'word '.repeat(model(plain).engine.config.contextLength),
      'and',
      'more',
    ];
    const rows = [{ question_id: 1, category: 'stem', turns }, ROWS[0]];
    const { prompts } = tokenizePrompts(
      model(plain),
      [loadDataset(jsonl('q.jsonl', ...rows))],
      undefined,
    );
    expect(laterTurns(prompts)).toBe(3 + 2);
    const seen: number[] = [];
    const all = await addLaterTurns(model(plain), {
      ...settings,
      prompts,
      onProgress: (done) => seen.push(done),
    });
    expect(all.prompts.map(({ id }) => id)).toEqual(['1', '81', '81/turn-2', '81/turn-3']);
    expect(all.warnings).toEqual([expect.stringMatching(/"q": .*\b3 later turns do not fit/)]);
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test('stop with the reason of the signal', async () => {
    const reason = new Error('enough');
    const running = addLaterTurns(model(plain), {
      ...settings,
      prompts: firstTurns(plain),
      signal: AbortSignal.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
  });
});

test('a prompt ends with the turn after the answers, whatever turns come later', () => {
  const turns = ['one', 'two', 'three'];
  expect(conversationTokens(plain, { chat: false }, turns, [])).toEqual(plain.encodePrompt('one'));
  expect(conversationTokens(plain, { chat: false }, turns, [' x \n'])).toEqual(
    plain.encodePrompt('one x\n\ntwo'),
  );
  expect(conversationTokens(chatting, { chat: true }, turns, [' x \n', 'y'])).toEqual(
    plain.encode('<user>one\n<assistant>x\n<user>two\n<assistant>y\n<user>three\n<assistant>'),
  );
});
