import { z } from 'zod';
import { InputError } from '../../../errors.js';
import { parseFields } from '../../../json-file.js';
import type { GgufValue } from './header.js';
import { byteLevel, type PreTokenizer, preTokenizers } from './pre-tokenizers.js';

/** Values of tokenizer.ggml.token_type: the special ones, and those that are found before the text is split. */
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;

const BYTE_LEVEL_BPE = 'gpt2';
const SENTENCE_PIECE = 'llama';
const SPACE = '▁';

const tokenId = z.int().nonnegative().optional();
const schema = z.object({
  'tokenizer.ggml.pre': z.string().optional(),
  'tokenizer.ggml.tokens': z.array(z.string()).min(1),
  'tokenizer.ggml.merges': z
    .array(z.string().regex(/^[^ ]+ [^ ]+$/, 'expected two tokens with a space between them'))
    .optional(),
  'tokenizer.ggml.scores': z.array(z.number()).optional(),
  'tokenizer.ggml.token_type': z.array(z.int()).optional(),
  'tokenizer.ggml.bos_token_id': tokenId,
  'tokenizer.ggml.eos_token_id': tokenId,
  'tokenizer.ggml.unknown_token_id': tokenId,
  'tokenizer.ggml.padding_token_id': tokenId,
  'tokenizer.ggml.add_bos_token': z.boolean().optional(),
  'tokenizer.ggml.add_space_prefix': z.boolean().default(true),
});
type Fields = z.infer<typeof schema>;

/** What depends on the kind of tokeniser. */
interface Kind {
  /** Fields of tokenizer.json: the model and the steps around it. */
  readonly parts: Readonly<Record<string, unknown>>;
  readonly addBos: boolean;
}

/** Whether a GGUF file has a tokeniser; a model without one runs on token ids alone. */
export function hasGgufTokenizer(metadata: ReadonlyMap<string, GgufValue>): boolean {
  return metadata.has('tokenizer.ggml.model');
}

/**
 * The tokeniser in a GGUF file's metadata as Hugging Face's tokenizer.json and tokenizer_config.json would have it: byte-level
 * BPE ("gpt2") of the known pre-tokenisers, or SentencePiece BPE ("llama").
 * @throws InputError for another kind of tokeniser, and for fields that are missing or do not fit each other
 */
export function ggufTokenizer(
  metadata: ReadonlyMap<string, GgufValue>,
  file: string,
): { tokenizer: unknown; config: unknown } {
  const model = metadata.get('tokenizer.ggml.model');
  if (model !== BYTE_LEVEL_BPE && model !== SENTENCE_PIECE)
    throw new InputError(
      `${file}: field tokenizer.ggml.model "${String(model)}" is not supported; supported are ${BYTE_LEVEL_BPE} (byte-level BPE) and ${SENTENCE_PIECE} (SentencePiece BPE).`,
    );
  const present = Object.keys(schema.shape).flatMap((name) => {
    const value = metadata.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const fields = parseFields(schema, Object.fromEntries(present), file);
  const tokens = fields['tokenizer.ggml.tokens'];
  checkLengths(fields, file);
  const nameOf = (field: 'bos' | 'eos' | 'unknown' | 'padding'): string | undefined => {
    const id = fields[`tokenizer.ggml.${field}_token_id`];
    if (id !== undefined && id >= tokens.length)
      throw new InputError(
        `${file}: field tokenizer.ggml.${field}_token_id ${id} is not one of the ${tokens.length} tokens.`,
      );
    return id === undefined ? undefined : tokens[id];
  };
  const types = fields['tokenizer.ggml.token_type'] ?? [];
  const bos = nameOf('bos');
  const unknown = nameOf('unknown') ?? tokens[types.indexOf(UNKNOWN)];
  const { parts, addBos } =
    model === BYTE_LEVEL_BPE ? byteLevelBpe(fields, file) : sentencePiece(fields, unknown, file);
  const isSpecial = (type: number | undefined) =>
    type === CONTROL || (type === UNKNOWN && model === SENTENCE_PIECE);
  return {
    tokenizer: {
      ...parts,
      post_processor: null,
      added_tokens: tokens.flatMap((content, id) =>
        isSpecial(types[id]) || types[id] === USER_DEFINED
          ? [{ ...ADDED, id, content, special: isSpecial(types[id]) }]
          : [],
      ),
    },
    config: {
      bos_token: bos,
      eos_token: nameOf('eos'),
      unk_token: unknown,
      pad_token: nameOf('padding'),
      // The families' rule is for files that say nothing; without a bos it cannot be followed.
      add_bos_token: fields['tokenizer.ggml.add_bos_token'] ?? (addBos && bos !== undefined),
    },
  };
}

const ADDED = { single_word: false, lstrip: false, rstrip: false, normalized: false };

function checkLengths(fields: Fields, file: string): void {
  const { length } = fields['tokenizer.ggml.tokens'];
  for (const name of ['tokenizer.ggml.token_type', 'tokenizer.ggml.scores'] as const) {
    const found = fields[name]?.length;
    if (found !== undefined && found !== length)
      throw new InputError(`${file}: field ${name} has ${found} entries for ${length} tokens.`);
  }
}

function byteLevelBpe(fields: Fields, file: string): Kind {
  const found = preTokenizerOf(fields, file);
  const merges = need(fields, 'tokenizer.ggml.merges', file);
  return {
    parts: {
      normalizer: found.normalizer,
      pre_tokenizer: found.preTokenizer,
      decoder: byteLevel(true),
      model: {
        type: 'BPE',
        vocab: idsByToken(fields),
        merges,
        ignore_merges: found.ignoreMerges,
      },
    },
    addBos: found.addBos,
  };
}

function preTokenizerOf(fields: Fields, file: string): PreTokenizer {
  const pre = fields['tokenizer.ggml.pre'];
  if (pre === undefined || pre === 'default')
    throw new InputError(
      `${file}: field tokenizer.ggml.pre ${pre === undefined ? 'is missing' : 'is "default"'}, so how the model splits text is not known; convert the original again with a current llama.cpp, or give its safetensors folder.`,
    );
  const found = Object.hasOwn(preTokenizers, pre) ? preTokenizers[pre] : undefined;
  if (found === undefined)
    throw new InputError(
      `${file}: field tokenizer.ggml.pre "${pre}" is not supported; supported are ${Object.keys(preTokenizers).join(', ')}.`,
    );
  return found;
}

function sentencePiece(fields: Fields, unknown: string | undefined, file: string): Kind {
  const prefix = fields['tokenizer.ggml.add_space_prefix'];
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };
  const vocab = idsByToken(fields);
  return {
    parts: {
      normalizer: {
        type: 'Sequence',
        normalizers: prefix ? [{ type: 'Prepend', prepend: SPACE }, spaces] : [spaces],
      },
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
        ],
      },
      model: {
        type: 'BPE',
        vocab,
        merges: mergesOf(fields, file),
        unk_token: unknown ?? null,
        fuse_unk: true,
        byte_fallback: true,
      },
    },
    addBos: true,
  };
}

/**
 * SentencePiece merges whichever neighbours give the token of the highest score; as a list of merges, that is every way to split
 * a token into two, by the token's score; equal ones by the ids of the parts, as Hugging Face's converter orders them.
 */
function mergesOf(fields: Fields, file: string): [string, string][] {
  const tokens = fields['tokenizer.ggml.tokens'];
  const types = fields['tokenizer.ggml.token_type'] ?? [];
  const scores = need(fields, 'tokenizer.ggml.scores', file);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merged = tokens.flatMap((token, id) => {
    // Control and byte tokens are never the result of a merge, though their scores of 0 would put them first.
    const type = types[id] ?? NORMAL;
    if (type !== NORMAL && type !== USER_DEFINED) return [];
    const pairs: { left: number; right: number; score: number }[] = [];
    let at = 0;
    for (const character of token) {
      const left = at === 0 ? undefined : ids.get(token.slice(0, at));
      const right = left === undefined ? undefined : ids.get(token.slice(at));
      if (left !== undefined && right !== undefined)
        pairs.push({ left, right, score: scores[id]! });
      at += character.length;
    }
    return pairs;
  });
  return merged
    .sort((a, b) => b.score - a.score || a.left - b.left || a.right - b.right)
    .map(({ left, right }) => [tokens[left]!, tokens[right]!]);
}

function need<K extends keyof Fields>(
  fields: Fields,
  name: K,
  file: string,
): NonNullable<Fields[K]> {
  const value = fields[name];
  if (value == null) throw new InputError(`${file}: field ${name} is missing.`);
  return value;
}

function idsByToken(fields: Fields): Record<string, number> {
  return Object.fromEntries(fields['tokenizer.ggml.tokens'].map((token, id) => [token, id]));
}
