import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { parseFields } from '../json-file.js';
import { type ChatMessage, renderChat } from './chat-template.js';
import { formatOf } from './formats/index.js';
import { withinTime } from './time-limit.js';
import { spellingBytes } from './token-bytes.js';
import type { TokenizerSource } from './tokenizer-source.js';

/** Text to token ids and back, for one checkpoint. */
export interface TextTokenizer {
  /** Token ids of `text`; with `addSpecialTokens` (default false) what the tokenizer's post-processor adds as well. */
  encode(text: string, options?: { addSpecialTokens?: boolean }): number[];
  /**
   * Token ids of a prompt for the model: `text` with the beginning-of-sequence token first where the tokenizer asks
   * for one (`add_bos_token` of tokenizer_config.json, else its post-processor); a bos that `text` begins with is not
   * doubled. Never ends with an eos token: a prompt is there to be continued.
   */
  encodePrompt(text: string): number[];
  /**
   * Text of token ids, exactly as the tokens spell it (no clean-up of spaces). Ids without a token, which models with a
   * padded vocabulary can emit, give no text; special tokens neither, unless `skipSpecialTokens` is false.
   */
  decode(ids: readonly number[], options?: { skipSpecialTokens?: boolean }): string;
  /** The bytes that a token spells, which may be a part of a character; of an id without a token none. */
  bytes(id: number): Uint8Array;
  /** Whether `decode` leaves the id out by default: a special token, or an id without a token. */
  isSpecial(id: number): boolean;
  /** Whether the model has a chat template. */
  readonly hasChatTemplate: boolean;
  /**
   * A conversation as text, up to where the assistant's answer begins. The template writes its own special tokens: encode
   * the result with `encode`, not `encodePrompt`.
   * @throws InputError when the model has no chat template, or it cannot be rendered
   */
  chat(messages: readonly ChatMessage[]): string;
}

/** Slower than any machine with any sound tokenizer. */
const LEAST_MS = 1000;
const MS_PER_CHARACTER = 0.1;

const typed = { type: z.string() };
const tokenizerSchema = z.looseObject({
  model: z.looseObject({}),
  added_tokens: z
    .array(
      z.looseObject({
        id: z.int().nonnegative(),
        content: z.string(),
        special: z.boolean().default(false),
      }),
    )
    .default([]),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z
    .looseObject({ ...typed, decoders: z.array(z.looseObject(typed)).optional() })
    .nullable()
    .default(null),
});
const tokenName = z
  .union([z.string(), z.object({ content: z.string() }).transform((token) => token.content)])
  .nullish();
const configSchema = z.looseObject({
  bos_token: tokenName,
  eos_token: tokenName,
  unk_token: tokenName,
  pad_token: tokenName,
  add_bos_token: z.boolean().nullish(),
});
type TokenizerConfig = z.infer<typeof configSchema>;

/**
 * Loads a model's tokenizer: tokenizer.json, and tokenizer_config.json and chat_template.jinja where they exist; or what another
 * format has in their place.
 * @param path what `resolveModel` gives
 * @returns null when the model has none (such a model runs on token ids alone)
 * @throws InputError when a file is damaged, or `add_bos_token` is true without a known `bos_token`
 */
export function loadTokenizer(path: string): TextTokenizer | null {
  const source = formatOf(path).findTokenizer(path);
  return source && createTokenizer(source);
}

/**
 * What a model's tokenizer can do, without the time that it takes to build it: whether it works is not checked.
 * @param path what `resolveModel` gives
 * @returns null when the model has none
 */
export function inspectTokenizer(path: string): Pick<TextTokenizer, 'hasChatTemplate'> | null {
  const source = formatOf(path).findTokenizer(path);
  return source && { hasChatTemplate: source.template() !== undefined };
}

function createTokenizer(source: TokenizerSource): TextTokenizer {
  const { file, configFile } = source;
  const { json, configJson } = source.read();
  const fields = parseFields(tokenizerSchema, json, file);
  const config = parseFields(configSchema, configJson, configFile);
  const library = construct(fields, file);

  const specialIds = new Set(
    fields.added_tokens.filter((token) => token.special).map((token) => token.id),
  );
  const added = new Map(fields.added_tokens.map(({ id, content }) => [id, content]));
  const bytesOf = spellingBytes(fields.decoder);
  const decodesByPattern = hasPattern(fields.decoder);
  const isKnown = (id: number) => library.id_to_token(id) !== undefined;
  const isSpecial = (id: number) => specialIds.has(id) || !isKnown(id);
  const encode: TextTokenizer['encode'] = (text, { addSpecialTokens = false } = {}) => {
    const { ids } = guarded(file, text.length, () =>
      library.encode(text, { add_special_tokens: addSpecialTokens }),
    );
    // Whatever its types say, the library gives undefined where the unknown token itself is not in the vocabulary.
    if (!ids.every(Number.isInteger))
      throw new InputError(`${file}: it has no token for a part of the text.`);
    return ids;
  };

  const bos = bosRule(config, library, encode);
  if (bos.wanted && bos.id === undefined)
    throw new InputError(
      `${configFile}: add_bos_token is true but bos_token is not a token of ${file}.`,
    );
  return {
    encode,
    encodePrompt(text) {
      const ids = encode(text);
      return bos.wanted && bos.id !== undefined && ids[0] !== bos.id ? [bos.id, ...ids] : ids;
    },
    decode(ids, { skipSpecialTokens = true } = {}) {
      const kept = ids.filter(skipSpecialTokens ? (id) => !isSpecial(id) : isKnown);
      // Cleaning up spaces would change text that was already streamed ("word ." becomes "word.").
      if (kept.length === 0) return '';
      const decode = () => library.decode(kept, { clean_up_tokenization_spaces: false });
      return decodesByPattern ? guarded(file, kept.length, decode) : decode();
    },
    bytes(id) {
      // Added tokens stand there as they are.
      const literal = added.get(id);
      if (literal !== undefined) return Buffer.from(literal);
      return bytesOf(library.id_to_token(id) ?? '');
    },
    isSpecial,
    hasChatTemplate: source.template() !== undefined,
    chat(messages) {
      const template = source.template();
      if (!template)
        throw new InputError(
          `${configFile}: the model has no chat template, here or in chat_template.jinja; give the prompt as plain text.`,
        );
      return renderChat(template.text, messages, namedTokens(config), template.file);
    },
  };
}

/** transformers' rule for the bos token: an explicit `add_bos_token` decides, without one the post-processor does. */
function bosRule(
  config: TokenizerConfig,
  library: Tokenizer,
  encode: TextTokenizer['encode'],
): { id: number | undefined; wanted: boolean } {
  const [first] = encode('a');
  const [firstProcessed] = encode('a', { addSpecialTokens: true });
  const fromProcessor = firstProcessed === first ? undefined : firstProcessed;
  const fromConfig = config.bos_token == null ? undefined : library.token_to_id(config.bos_token);
  return {
    id: fromConfig ?? fromProcessor,
    wanted: config.add_bos_token ?? fromProcessor !== undefined,
  };
}

/**
 * What the library does by the rules of the file, some of which it does not check, and whose patterns may take for ever.
 * @param size of what is encoded or decoded, in characters or tokens.
 * @throws InputError when it fails, or takes longer than any sound tokenizer.
 */
function guarded<T>(file: string, size: number, work: () => T): T {
  const milliseconds = LEAST_MS + Math.ceil(size * MS_PER_CHARACTER);
  let done: { readonly value: T } | undefined;
  try {
    done = withinTime(milliseconds, work);
  } catch (error) {
    throw new InputError(`${file}: this tokenizer cannot be used: ${errorMessage(error)}.`);
  }
  if (done !== undefined) return done.value;
  throw new InputError(
    `${file}: its patterns take longer than ${milliseconds / 1000} s for ${size} characters; get the file from where the model is published.`,
  );
}

/** Whether a rule has a regular expression somewhere. */
function hasPattern(rule: unknown): boolean {
  if (typeof rule !== 'object' || rule === null) return false;
  return Object.entries(rule).some(([name, inner]) => name === 'Regex' || hasPattern(inner));
}

function construct(fields: z.infer<typeof tokenizerSchema>, file: string): Tokenizer {
  try {
    return new Tokenizer(fields, {});
  } catch (error) {
    throw new InputError(`${file}: this tokenizer cannot be used: ${errorMessage(error)}.`);
  }
}

function namedTokens(config: TokenizerConfig): Record<string, string> {
  const names = ['bos_token', 'eos_token', 'unk_token', 'pad_token'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (config[name] == null ? [] : [[name, config[name]]])),
  );
}
