import { beforeAll, expect, it } from 'vitest';
import { createChatSession } from '../../src/cli/chat-session.js';
import { createConversations } from '../../src/decoding/conversations.js';
import { complete } from '../../src/decoding/generate.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Model } from '../../src/engine/load-model.js';
import { conversationTokens } from '../../src/evaluation/conversation.js';
import { textModel } from '../server/helpers.js';

let model: Model;
beforeAll(async () => {
  model = await textModel({ contextLength: 1024 });
});

const never = new AbortController().signal;
function session(system?: string) {
  const conversations = createConversations(model.engine, 1);
  const method = { name: 'lookup' } as const;
  const generator = { model, method, coupling: 'gumbel' as const, conversations };
  const settings = { generator, tokenizer: model.tokenizer!, sampling: GREEDY, stop: [] };
  return createChatSession({ ...settings, maxTokens: 30 }, system);
}

it('says what the chat template makes of all messages, the system message changed midway too', async () => {
  const chat = session('Be brief.');
  await chat.say('Hello', () => {}, never);
  const before = chat.turns[0]!;
  chat.system = 'Be long.';
  const { assistant, promptTokens } = await chat.say('And now?', () => {}, never);
  const form = { chat: true, system: 'Be long.' } as const;
  const prompt = conversationTokens(
    model.tokenizer!,
    form,
    ['Hello', 'And now?'],
    [before.assistant],
  );
  expect(promptTokens).toBe(prompt.length);
  const { tokenizer } = model;
  const alone = await complete(model.engine, { prompt, tokenizer, maxNewTokens: 30 });
  expect(assistant).toBe(alone.text);
  expect(chat.messages().map(({ role }) => role)).toEqual([
    'system',
    'user',
    'assistant',
    'user',
    'assistant',
  ]);
  chat.reset();
  expect(chat.messages()).toEqual([{ role: 'system', content: 'Be long.' }]);
});

it('keeps what was made of an answer that is stopped, and goes on after it', async () => {
  const chat = session();
  const controller = new AbortController();
  let text = '';
  const turn = await chat.say(
    'Hello',
    (event) => {
      text += event.text;
      if (text.length > 5) controller.abort();
    },
    controller.signal,
  );
  expect(turn).toMatchObject({ finishReason: 'stopped', assistant: text });
  expect(turn.statistics.newTokens).toBeLessThan(30);
  const next = await chat.say('Go on', () => {}, never);
  expect(next.finishReason).not.toBe('stopped');
  expect(next.cachedTokens).toBeGreaterThanOrEqual(turn.promptTokens - 1);
});

it('has nothing said that did not fit', async () => {
  const chat = session();
  await expect(chat.say('x '.repeat(3000), () => {}, never)).rejects.toThrow(/context/);
  expect(chat.turns).toEqual([]);
});
