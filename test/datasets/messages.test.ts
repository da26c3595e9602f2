import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../src/datasets/load.js';
import { InputError } from '../../src/errors.js';
import { jsonl } from './helpers.js';

const openai = (...messages: unknown[]) => ({ messages });
const user = (content: unknown) => ({ role: 'user', content });
const sharegpt = (...conversations: unknown[]) => ({ conversations });

function first(row: unknown) {
  return loadDataset(jsonl('c.jsonl', row)).prompts[0];
}

describe('conversations', () => {
  it("takes the user's messages as turns and none of the assistant's", () => {
    const row = {
      id: 'a7',
      messages: [
        user('One {messages}?'),
        { role: 'assistant', content: null, tool_calls: [] },
        user([
          { type: 'text', text: 'Tw' },
          { type: 'text', text: 'o?' },
        ]),
        { role: 'assistant', content: 'Never shown.' },
      ],
    };
    expect(first(row)).toEqual({
      id: 'a7',
      dataset: 'c',
      prompt: 'One {messages}?',
      turns: ['One {messages}?', 'Two?'],
      stop: [],
    });
  });

  it('puts system messages before the first turn, in the prompt as in the turns, and drops blank ones', () => {
    const system = (content: string) => ({ role: 'system', content });
    const { prompt, turns } = first(
      openai(system('Be brief.'), system(' '), user('Hi'), user('B')),
    );
    expect(prompt).toBe('Be brief.\n\nHi');
    expect(turns).toEqual(['Be brief.\n\nHi', 'B']);
  });

  it('reads ShareGPT with either name of each side', () => {
    const { prompt, turns } = first(
      sharegpt(
        { from: 'system', value: 'S' },
        { from: 'gpt', value: 'x' },
        { from: 'human', value: 'A' },
        { from: 'assistant', value: 'y' },
        { from: 'user', value: 'B' },
      ),
    );
    expect(prompt).toBe('S\n\nA');
    expect(turns).toEqual(['S\n\nA', 'B']);
  });

  it.each([
    [
      { messages: 'a' },
      /line 1: field "messages" must be a list of messages \(.*"openai-messages"/,
    ],
    [openai(), /field "messages" must have a user message/],
    [openai({ role: 'assistant', content: 'a' }), /field "messages" must have a user message/],
    [openai(user('a'), 'b'), /field "messages\[1\]" must be an object/],
    [
      openai(user('a'), { role: 'tool', content: 'b' }),
      /field "messages\[1\]\.role" must be one of user, assistant, system/,
    ],
    [openai({ role: 'toString', content: 'b' }), /field "messages\[0\]\.role" must be one of/],
    [openai({ content: 'b' }), /field "messages\[0\]\.role" must be one of/],
    [openai(user(3)), /field "messages\[0\]\.content" must be a string or a list/],
    [
      openai(
        user([
          { type: 'text', text: 'a' },
          { type: 'image_url', text: 'b' },
        ]),
      ),
      /field "messages\[0\]\.content" must be .*only text/,
    ],
    [openai(user('a'), user(' \n')), /field "messages\[1\]\.content" must not be blank/],
    [openai(user([])), /field "messages\[0\]\.content" must not be blank/],
    [
      openai(user('a'), { role: 'system', content: 'b' }),
      /field "messages\[1\]" is a system message, which must come before/,
    ],
    [
      sharegpt({ from: 'bing', value: 'a' }),
      /field "conversations\[0\]\.from" must be one of human, user, gpt, assistant, system/,
    ],
    [sharegpt({ from: 'human' }), /field "conversations\[0\]\.value" must be a string/],
    [
      openai(...Array.from({ length: 1001 }, () => user('a'))),
      /field "messages" must not have more than 1000 messages/,
    ],
  ])('refuses %j in a sentence', (row, message) => {
    const path = jsonl('c.jsonl', row);
    expect(() => loadDataset(path)).toThrow(message);
    expect(() => loadDataset(path)).toThrow(InputError);
    expect(() => loadDataset(path)).toThrow(/^[^\n]+\.$/);
  });

  it('names the line of a later row', () => {
    const path = jsonl('c.jsonl', openai(user('a')), openai(user('')));
    expect(() => loadDataset(path)).toThrow(/c\.jsonl, line 2: field "messages\[0\]\.content"/);
  });

  it('takes 1000 messages', () => {
    expect(first(openai(...Array.from({ length: 1000 }, () => user('a')))).turns).toHaveLength(
      1000,
    );
  });

  it('throws nothing but InputError, whatever the messages are', () => {
    const key = fc.constantFrom('role', 'content', 'from', 'value', 'type', 'text', '__proto__');
    const value = fc.oneof(fc.constantFrom('user', 'system', 'human', 'text'), fc.jsonValue());
    const message = fc
      .array(fc.tuple(key, fc.oneof(value, fc.array(value))))
      .map((pairs) => Object.fromEntries(pairs));
    fc.assert(
      fc.property(
        fc.constantFrom('messages', 'conversations'),
        fc.oneof(fc.array(fc.oneof(message, fc.jsonValue())), fc.jsonValue()),
        (field, messages) => {
          try {
            expect(first({ [field]: messages }).prompt.trim()).not.toBe('');
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('Alpaca', () => {
  it('sets the input after a blank line, and nothing for none', () => {
    const prompt = (row: object) => first({ instruction: 'Sort.', output: 'a, b', ...row }).prompt;
    expect(prompt({ input: 'b, a {instruction}' })).toBe('Sort.\n\nb, a {instruction}');
    expect(prompt({ input: '' })).toBe('Sort.');
    expect(prompt({ input: null })).toBe('Sort.');
    expect(prompt({})).toBe('Sort.');
  });

  it('keeps the output as the reference', () => {
    expect(first({ instruction: 'Sort.', input: '', output: 'a, b' }).reference).toBe('a, b');
  });

  it.each([
    [{ instruction: 'a', input: 1, output: 'b' }, /line 1: field "input" must be a string/],
    [
      { instruction: ' ', input: 'a', output: 'b' },
      /line 1: field "instruction" must not be blank/,
    ],
    [{ instruction: ['a'], input: 'a', output: 'b' }, /field "instruction" must be a string/],
  ])('refuses %j', (row, message) => {
    expect(() => first(row)).toThrow(message);
    expect(() => first(row)).toThrow(InputError);
  });
});
