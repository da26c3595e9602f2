import { describe, expect, it } from 'vitest';
import { type ChatMessage, renderChat } from '../../src/checkpoint/chat-template.js';
import { inspectTokenizer, loadTokenizer } from '../../src/checkpoint/tokenizer.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { inputErrorOf, writeFolder } from './fixtures.js';

const MESSAGES: readonly ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hi {{ bos_token }}' },
];
const render = (template: string) =>
  renderChat(template, MESSAGES, { bos_token: '<s>' }, 'm/tokenizer_config.json');

const CHATML =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message.content | trim }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

describe('renderChat', () => {
  it('renders messages, special tokens and the generation prompt', () => {
    expect(render(`{{ bos_token }}${CHATML}`)).toBe(
      '<s><|system|>Be brief.\n<|user|>Hi {{ bos_token }}\n<|assistant|>',
    );
    expect(
      render(
        '{% for i in range(1, 6, 2) %}{{ i }},{% endfor %}{% for i in range(2) %}{{ i }}{% endfor %}',
      ),
    ).toBe('1,3,5,01');
  });

  it('has no clock', () => {
    expect(
      render(
        "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}26 Jul 2024{% endif %}",
      ),
    ).toBe('26 Jul 2024');
  });

  it.each([
    [
      'a template that refuses',
      "{{ raise_exception('only user messages') }}",
      /cannot be rendered: only user messages/,
    ],
    [
      'broken syntax',
      '{% for %}',
      /m\/tokenizer_config\.json: the chat template cannot be rendered/,
    ],
    ['a huge range', '{% for i in range(1000000000) %}x{% endfor %}', /range\(\) gives more than/],
    ['a range of no steps', '{% for i in range(0, 1, 0) %}x{% endfor %}', /range\(\)/],
    [
      'a loop without end',
      `${'{% for i in range(99999) %}'.repeat(4)}${'{% endfor %}'.repeat(4)}`,
      /takes longer than 1000 ms/,
    ],
    [
      'a list that doubles',
      `{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = ns.x + ns.x %}{% endfor %}`,
      /makes a value of \d+ characters or elements/,
    ],
    [
      'a list in a list that doubles',
      `{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}`,
      /makes a value of \d+ characters or elements/,
    ],
    [
      'a replacement that multiplies',
      `{% set ns = namespace(t='x') %}{% for i in range(18) %}{% set ns.t = ns.t + ns.t %}{% endfor %}{{ ns.t | replace('x', ns.t) }}`,
      /replace\(\) makes too long a text/,
    ],
    [
      'a filter that indents without end',
      `{{ messages[0].content | indent(400000000) }}`,
      /argument is larger than 64/,
    ],
    [
      'many long strings',
      `{% set ns = namespace(t='x') %}{% for i in range(20) %}{% set ns.t = ns.t + ns.t %}{% endfor %}{% for i in range(99999) %}{{ ns.t }}{% endfor %}`,
      /makes more than \d+ characters/,
    ],
    [
      'a huge output',
      `{% set ns = namespace(t='x') %}{% for i in range(26) %}{% set ns.t = ns.t + ns.t %}{% endfor %}{{ ns.t }}`,
      /makes a value of \d+ characters/,
    ],
    ['a huge template', ' '.repeat(2 ** 20 + 1), /longer than/],
    [
      'JavaScript',
      "{{ messages.constructor.constructor('return process')().exit() }}",
      /cannot be rendered/,
    ],
  ])('limits %s', (_, template, message) => {
    expect(inputErrorOf(() => render(template))).toMatch(message);
  });
});

describe('chat', () => {
  const TOKENIZER = {
    added_tokens: [],
    model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
    decoder: { type: 'ByteLevel' },
  };
  const folder = (files: Record<string, object | string>) =>
    writeFolder(temporaryDirectory(), { 'tokenizer.json': TOKENIZER, ...files });
  const chat = (files: Record<string, object | string>) =>
    loadTokenizer(folder(files))?.chat(MESSAGES);
  const config = (chat_template: unknown) => ({
    'tokenizer_config.json': { eos_token: '</s>', chat_template },
  });

  it('takes the template from where a checkpoint keeps it', () => {
    expect(chat(config('A{{ eos_token }}'))).toBe('A</s>');
    const list = [
      { name: 'tool_use', template: 'B' },
      { name: 'default', template: 'C' },
    ];
    expect(chat(config(list))).toBe('C');
    expect(chat({ ...config('A'), 'chat_template.jinja': 'D' })).toBe('D');
  });

  it('is known to be there without building the tokenizer', () => {
    const known = (files: Record<string, object | string>) => inspectTokenizer(folder(files));
    expect(known(config('A'))).toEqual({ hasChatTemplate: true });
    expect(known({ 'chat_template.jinja': 'D' })).toEqual({ hasChatTemplate: true });
    expect(known(config(null))).toEqual({ hasChatTemplate: false });
    expect(inspectTokenizer(temporaryDirectory())).toBeNull();
  });

  it('says when there is none', () => {
    expect(() => chat({})).toThrow(/has no chat template/);
    expect(() => chat(config([{ name: 'tool_use', template: 'B' }]))).toThrow(
      /has no chat template/,
    );
  });
});
