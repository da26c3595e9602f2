import { expect, test } from 'vitest';
import type { TextTokenizer } from '../../src/checkpoint/tokenizer.js';
import { promptForm } from '../../src/evaluation/prompt-form.js';

const tokenizer = (hasChatTemplate: boolean): TextTokenizer => ({
  encode: () => [],
  encodePrompt: () => [],
  decode: () => '',
  bytes: () => new Uint8Array(),
  isSpecial: () => false,
  hasChatTemplate,
  chat: () => '',
});
const chats = tokenizer(true);
const plain = tokenizer(false);

test('instructions are messages where the model has a template, and nothing else is', () => {
  expect(promptForm({}, true, chats)).toEqual({ chat: true });
  expect(promptForm({}, false, chats)).toEqual({ chat: false });
  expect(promptForm({}, true, plain)).toEqual({ chat: false });
});

test('what was asked for goes before that', () => {
  expect(promptForm({ chat: true }, false, chats)).toEqual({ chat: true });
  expect(promptForm({ chat: false }, true, chats)).toEqual({ chat: false });
  expect(promptForm({ system: 'Be brief.' }, false, chats)).toEqual({
    chat: true,
    system: 'Be brief.',
  });
});

test('what cannot be is refused', () => {
  expect(() => promptForm({ chat: true }, true, plain)).toThrow(/no chat template/);
  expect(() => promptForm({ system: 'x' }, true, plain)).toThrow(/no chat template/);
  expect(() => promptForm({ system: 'x', chat: false }, true, chats)).toThrow(/--no-chat/);
});
