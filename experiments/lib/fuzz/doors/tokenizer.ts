import { loadTokenizer } from '../../../../src/checkpoint/tokenizer.js';
import type { Random } from '../../../../src/random.js';
import type { Door } from '../door.js';
import { pick } from '../hostile.js';
import { mutateBytes } from '../mutate-bytes.js';
import { type Json, mutateJson } from '../mutate-json.js';
import { bytesOf, jsonOf } from './seeds.js';

/** What is encoded and decoded: spaces, lines, scripts, symbols, special tokens, and repetition that patterns may stumble on. */
export const TEXTS: readonly string[] = [
  'one day, a little girl named Lily found 12 apples.',
  '  two  spaces\n\n\tand\r\nlines ',
  'añb 你好 😀 e\u0301 \u200d \ufeff',
  "<|endoftext|> I'll don't <s></s>",
  `${'a'.repeat(2000)}!`,
  ' '.repeat(500),
  '',
];

/** A whole tokenizer.json with as few entries as it works with, so that edits meet its rules and not its vocabulary. */
function smaller(tokenizer: Json): { [key: string]: Json } {
  const { model, ...rest } = structuredClone(Object(tokenizer));
  const merges = model.merges.slice(0, 60);
  const entries = Object.entries<number>(model.vocab).sort(([, a], [, b]) => a - b);
  return { ...rest, model: { ...model, vocab: Object.fromEntries(entries.slice(0, 400)), merges } };
}

const sequence = (kind: string, ...parts: Json[]): Json => ({ type: 'Sequence', [kind]: parts });
const pattern = (text: string): Json => ({ Regex: text });

/** Rules that tokenizers of other families have. */
const RULES: readonly { readonly [field: string]: Json }[] = [
  {},
  {
    normalizer: sequence(
      'normalizers',
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ),
    pre_tokenizer: null,
    decoder: sequence(
      'decoders',
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ),
  },
  {
    normalizer: { type: 'NFC' },
    pre_tokenizer: sequence(
      'pretokenizers',
      {
        type: 'Split',
        pattern: pattern(
          "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+",
        ),
        behavior: 'Isolated',
        invert: false,
      },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    ),
  },
  {
    normalizer: sequence(
      'normalizers',
      { type: 'NFKC' },
      { type: 'Lowercase' },
      { type: 'Strip', strip_left: true, strip_right: true },
    ),
    pre_tokenizer: sequence(
      'pretokenizers',
      { type: 'Digits', individual_digits: true },
      { type: 'Punctuation' },
      { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    ),
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '<|endoftext|>', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        '<|endoftext|>': { id: '<|endoftext|>', ids: [0], tokens: ['<|endoftext|>'] },
      },
    },
  },
];

/** Rules with patterns that never end on the texts above. */
const ENDLESS: typeof RULES = [
  {
    pre_tokenizer: {
      type: 'Split',
      pattern: pattern('(a+)+$'),
      behavior: 'Isolated',
      invert: false,
    },
  },
  { normalizer: { type: 'Replace', pattern: pattern('(?:a|a)*c'), content: 'b' } },
];

/** tokenizer.json and tokenizer_config.json. */
export function tokenizerDoor(): Door {
  const whole = jsonOf('models', 'demo', 'tokenizer.json');
  const small = smaller(whole);
  const config = {
    ...Object(jsonOf('models', 'demo', 'tokenizer_config.json')),
    chat_template: '{{ messages[0].content }}{{ eos_token }}',
    pad_token: { content: '<|endoftext|>', lstrip: false },
  };
  const files = { 'config.json': bytesOf('models', 'demo', 'config.json') };
  const withRules = (random: Random) => ({
    ...small,
    ...pick(random, random.integer(40) === 0 ? ENDLESS : RULES),
  });
  return {
    name: 'tokenizer',
    make(random) {
      const tokenizer = withRules(random);
      const kind = random.integer(10);
      const text = JSON.stringify(tokenizer);
      if (kind < 2)
        return {
          ...files,
          'tokenizer.json': text,
          'tokenizer_config.json': mutateJson(random, config, small),
        };
      const mutated =
        kind === 2
          ? mutateBytes(random, Buffer.from(text), Buffer.from(JSON.stringify(withRules(random))))
          : mutateJson(random, tokenizer, withRules(random));
      return {
        ...files,
        'tokenizer.json': mutated,
        'tokenizer_config.json': JSON.stringify(config),
      };
    },
    enter: useTokenizer,
  };
}

/** All that a tokenizer is asked for. */
export function useTokenizer(path: string): void {
  const tokenizer = loadTokenizer(path);
  if (tokenizer === null) return;
  for (const text of TEXTS) {
    const ids = tokenizer.encodePrompt(text);
    tokenizer.decode(ids);
    tokenizer.decode(ids, { skipSpecialTokens: false });
    for (const id of ids.slice(0, 50)) tokenizer.bytes(id);
  }
  for (const id of [0, 1, 399, 400, 5000, 2 ** 31]) {
    tokenizer.decode([id]);
    tokenizer.bytes(id);
  }
  if (tokenizer.hasChatTemplate) tokenizer.chat([{ role: 'user', content: 'Hello?' }]);
}
