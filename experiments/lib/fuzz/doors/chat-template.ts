import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderChat } from '../../../../src/checkpoint/chat-template.js';
import type { Door } from '../door.js';
import { pick } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { mutatePieces } from '../mutate-text.js';

const FILE = 'chat_template.jinja';

/** Templates of the kinds that models have. */
const TEMPLATES: readonly string[] = [
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
  "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}",
  "{%- set ns = namespace(found=false, text='') %}{%- for m in messages[::-1] %}{%- set ns.text = ns.text ~ m.content | upper | replace('A', 'b') %}{%- if m.role == \"user\" and not ns.found %}{%- set ns.found = true %}{%- endif %}{%- endfor %}{%- macro line(x, n=2) %}{{ x | tojson }}{{ '-' * n }}{%- endmacro %}{{ line(messages) }}{{ ns.text }}{{ range(3) | list | join(',') }}",
  "{%- if tools is defined %}{{ tools | tojson(indent=2) }}{%- else %}{{ messages | map(attribute='content') | join('\\n') | length }}{{ messages | selectattr('role', 'equalto', 'user') | list | first }}{{ strftime_now('%Y') if strftime_now is defined else '2024' }}{%- endif %}{{ messages[0].content.split(' ')[0].strip() | title | indent(4) }}",
];

/** Pieces that cost much for their length. */
const COSTLY: readonly string[] = [
  '{% for a in range(100000) %}',
  '{% for b in range(99999) %}{{ messages }}{% endfor %}',
  '{% set ns = namespace(x=[1], s="ab", n=9) %}{% for i in range(40) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x | length }}',
  '{% set ns = namespace(s="ab") %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}',
  '{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}{{ ns.x }}',
  '{% set ns = namespace(s="ab") %}{% for i in range(25) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s | replace("a", ns.s) | indent(1000) | upper | list | join(ns.s) }}',
  '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
  '{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}',
  '{{ "x" * 1000000000 }}',
  '{{ "x".ljust(1000000000) }}',
  '{{ "x" | indent(1000000000) }}',
  '{{ [0] * 1000000000 }}',
  '{{ range(1e308) }}',
  '{{ range(0, 1e5, 1e-9) }}',
  '{{ range(-1, 1, 0) }}',
  '{{ 1 / 0 }}{{ 1 % 0 }}{{ 1e308 * 10 }}',
  '{{ messages.constructor.constructor("return process")() }}',
  '{{ messages.__proto__.x }}{{ raise_exception.constructor }}',
  '{{ messages | sort(attribute="role", reverse=true) | unique | dictsort }}',
  '{% set messages = "x" %}{% set true = false %}',
  `${'('.repeat(20_000)}`,
  `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`,
  `{{ ${'['.repeat(20_000)} }}`,
  `{{ ${'not '.repeat(20_000)}true }}`,
  `{{ ${'-'.repeat(20_000)}1 }}`,
  `${'{% if true %}'.repeat(3000)}`,
  `{{ ${'"a" ~ '.repeat(20_000)}"b" }}`,
  `{{ x${'.a'.repeat(20_000)} }}`,
  `{{ "a"${' | upper'.repeat(20_000)} }}`,
  '{{',
  '}}',
  '{%',
  '%}',
  '{#',
  '#}',
  '{% endfor %}',
  '{% endif %}',
  '{% raw %}',
  '{{ ""',
  "{{ '\\",
  '{% break %}',
  '{% continue %}',
  '{% generation %}{% endgeneration %}',
  '{% call x() %}{% endcall %}',
  '{% filter upper %}x{% endfilter %}',
];

const MESSAGES = [
  { role: 'system', content: 'You are a helpful assistant.' },
  { role: 'user', content: 'What is 2 + 2? {{ 1 }} {% raw %}' },
  { role: 'assistant', content: '4' },
  { role: 'user', content: 'And then?' },
] as const;

/** A chat template by itself. */
export function chatTemplateDoor(): Door {
  const tags = TEMPLATES.map((text) => text.split(/(?=\{[{%])|(?<=[%}]\})/));
  const words = TEMPLATES.flatMap((text) => text.split(/\b/));
  return {
    name: 'chat-template',
    make(random) {
      const kind = random.integer(4);
      if (kind === 0) {
        const [first, second] = [pick(random, TEMPLATES), pick(random, TEMPLATES)];
        return { [FILE]: mutateBytes(random, Buffer.from(first), Buffer.from(second)) };
      }
      if (kind === 1) {
        const pieces = pick(random, TEMPLATES).split(/\b/);
        return { [FILE]: mutatePieces(random, pieces, words).join('') };
      }
      const others = kind === 2 ? COSTLY : tags.flat();
      return { [FILE]: mutatePieces(random, pick(random, tags), others).join('') };
    },
    enter(folder) {
      const file = join(folder, FILE);
      const named = { bos_token: '<s>', eos_token: '</s>' };
      renderChat(readFileSync(file, 'utf8'), MESSAGES, named, file);
    },
  };
}
