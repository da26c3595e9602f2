/** How a family of byte-level BPE tokenisers treats text before merging, in the terms of tokenizer.json. */
export interface PreTokenizer {
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
  /** Whether a word that is a token as a whole is taken without merging. */
  readonly ignoreMerges: boolean;
  /** Whether a prompt begins with bos where the file does not say. */
  readonly addBos: boolean;
}

/**
 * The ByteLevel step of tokenizer.json.
 * @param useRegex whether it splits by GPT-2's pattern as well
 */
export const byteLevel = (useRegex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});
const split = (pattern: string) => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
const sequence = (...pretokenizers: unknown[]) => ({ type: 'Sequence', pretokenizers });
const words = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const endings = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
/** Like `words`, but a word ends where a small letter is followed by a capital one, and takes its contraction along. */
const cased =
  `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+${endings}|` +
  `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*${endings}|` +
  '\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const PLAIN = { normalizer: null, ignoreMerges: false, addBos: false };
const GPT_4 = {
  ...PLAIN,
  preTokenizer: sequence(split(words('\\p{N}{1,3}')), byteLevel(false)),
};
const LLAMA_3 = { ...GPT_4, ignoreMerges: true, addBos: true };
// Not the step Digits of the original: the library's takes ASCII digits alone, that of Hugging Face's own all of Unicode's.
const SMOLLM = { ...PLAIN, preTokenizer: sequence(split('\\p{N}'), byteLevel(true)) };

/**
 * By tokenizer.ggml.pre, as the families' tokenizer.json have it. llama.cpp's own `default`, which also stands for a missing
 * field, is none of them (it keeps punctuation and digits in groups of its own): a model rarely was trained with it.
 */
export const preTokenizers: Readonly<Record<string, PreTokenizer>> = {
  'gpt-2': { ...PLAIN, preTokenizer: byteLevel(true) },
  smollm: SMOLLM,
  // Granite 3.
  refact: SMOLLM,
  // OLMo 2 and Phi-4; SmolLM 3.
  dbrx: GPT_4,
  'smaug-bpe': GPT_4,
  // Phi-4-mini.
  'gpt-4o': { ...PLAIN, preTokenizer: sequence(split(cased), byteLevel(false)) },
  'llama-bpe': LLAMA_3,
  llama3: LLAMA_3,
  qwen2: {
    ...PLAIN,
    normalizer: { type: 'NFC' },
    preTokenizer: sequence(split(words('\\p{N}')), byteLevel(false)),
  },
};
