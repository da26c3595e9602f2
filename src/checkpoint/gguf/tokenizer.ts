import { z } from 'zod';
import { InputError } from '../../errors.js';
import { parseFields } from '../../json-file.js';
import type { GgufValue } from './header.js';

/** tokenizer.ggml.token_type of special tokens, and of tokens that are found before the text is split. */
const CONTROL = 3;
const USER_DEFINED = 4;

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true };
const byteLevel = (useRegex: boolean) => ({ ...BYTE_LEVEL, use_regex: useRegex });
const split = (regex: string) => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false },
    byteLevel(false),
  ],
});
const words = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** How text is split before merging, by tokenizer.ggml.pre, as the families' tokenizer.json have it. */
const PRE_TOKENIZERS: Readonly<Record<string, unknown>> = {
  'gpt-2': byteLevel(true),
  smollm: {
    type: 'Sequence',
    pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
  },
  'llama-bpe': split(words('\\p{N}{1,3}')),
  qwen2: split(words('\\p{N}')),
};
/** Families whose text is normalised first. */
const NORMALIZERS: Readonly<Record<string, unknown>> = { qwen2: { type: 'NFC' } };
const MODEL = 'gpt2';

const tokenId = z.int().nonnegative().optional();
const schema = z.object({
  'tokenizer.ggml.pre': z.string().default('gpt-2'),
  'tokenizer.ggml.tokens': z.array(z.string()).min(1),
  'tokenizer.ggml.merges': z.array(z.string()),
  'tokenizer.ggml.token_type': z.array(z.int()).optional(),
  'tokenizer.ggml.bos_token_id': tokenId,
  'tokenizer.ggml.eos_token_id': tokenId,
  'tokenizer.ggml.unknown_token_id': tokenId,
  'tokenizer.ggml.padding_token_id': tokenId,
  'tokenizer.ggml.add_bos_token': z.boolean().optional(),
  'tokenizer.chat_template': z.string().optional(),
});

/**
 * The tokeniser in a GGUF file's metadata as Hugging Face's tokenizer.json and tokenizer_config.json would have it: byte-level
 * BPE ("gpt2") of the known pre-tokenisers.
 * @returns null when the file has no tokeniser (such a model runs on token ids alone)
 * @throws InputError for another kind of tokeniser, and for fields that are missing or do not fit each other
 */
export function ggufTokenizer(
  metadata: ReadonlyMap<string, GgufValue>,
  file: string,
): { tokenizer: unknown; config: unknown } | null {
  const model = metadata.get('tokenizer.ggml.model');
  if (model === undefined) return null;
  if (model !== MODEL)
    throw new InputError(
      `${file}: tokenizer.ggml.model "${String(model)}" is not supported, only byte-level BPE ("${MODEL}") is; give the checkpoint in the Hugging Face layout.`,
    );
  const names = Object.keys(schema.shape);
  const present = names.flatMap((name) => {
    const value = metadata.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const fields = parseFields(schema, Object.fromEntries(present), file);
  const tokens = fields['tokenizer.ggml.tokens'];
  const types = fields['tokenizer.ggml.token_type'] ?? [];
  const pre = fields['tokenizer.ggml.pre'];
  if (types.length > 0 && types.length !== tokens.length)
    throw new InputError(
      `${file}: tokenizer.ggml.token_type has ${types.length} entries for ${tokens.length} tokens.`,
    );
  const preTokenizer = Object.hasOwn(PRE_TOKENIZERS, pre) ? PRE_TOKENIZERS[pre] : undefined;
  if (preTokenizer === undefined)
    throw new InputError(
      `${file}: tokenizer.ggml.pre "${pre}" is not supported; supported are ${Object.keys(PRE_TOKENIZERS).join(', ')}.`,
    );
  const nameOf = (field: 'bos' | 'eos' | 'unknown' | 'padding'): string | undefined => {
    const id = fields[`tokenizer.ggml.${field}_token_id`];
    if (id !== undefined && id >= tokens.length)
      throw new InputError(
        `${file}: tokenizer.ggml.${field}_token_id ${id} is not one of the ${tokens.length} tokens.`,
      );
    return id === undefined ? undefined : tokens[id];
  };
  return {
    tokenizer: {
      added_tokens: tokens.flatMap((content, id) =>
        types[id] === CONTROL || types[id] === USER_DEFINED
          ? [{ ...ADDED, id, content, special: types[id] === CONTROL }]
          : [],
      ),
      normalizer: NORMALIZERS[pre] ?? null,
      pre_tokenizer: preTokenizer,
      post_processor: null,
      decoder: byteLevel(true),
      model: {
        type: 'BPE',
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        merges: fields['tokenizer.ggml.merges'],
        ignore_merges: pre === 'llama-bpe',
      },
    },
    config: {
      bos_token: nameOf('bos'),
      eos_token: nameOf('eos'),
      unk_token: nameOf('unknown'),
      pad_token: nameOf('padding'),
      add_bos_token: fields['tokenizer.ggml.add_bos_token'] ?? false,
      chat_template: fields['tokenizer.chat_template'],
    },
  };
}

const ADDED = { single_word: false, lstrip: false, rstrip: false, normalized: false };
