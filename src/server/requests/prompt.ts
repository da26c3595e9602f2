import type { TextTokenizer } from '../../checkpoint/tokenizer.js';
import { roomFor } from '../../decoding/generate.js';
import type { Model } from '../../engine/load-model.js';
import { InputError } from '../../errors.js';
import { badRequest } from '../errors.js';

/**
 * Characters of a token, of text that could fit the context. Tokenising more would hold up everybody else for seconds only to
 * find that it is too much: text has some four to a token, code eight.
 */
const LONGEST_TOKEN = 16;

/** The model's tokenizer; text needs one. */
export function tokenizerOf({ tokenizer }: Pick<Model, 'tokenizer'>): TextTokenizer {
  if (tokenizer) return tokenizer;
  throw badRequest('The model has no tokenizer, so it cannot answer in text.', 'no_tokenizer');
}

/** @throws ApiError 400 for text that is longer than the context can be. */
export function checkTextLength(
  text: { readonly length: number },
  { engine }: Pick<Model, 'engine'>,
  param: string,
): void {
  const { contextLength } = engine.config;
  if (text.length <= LONGEST_TOKEN * contextLength) return;
  throw badRequest(
    `${param} has ${text.length} characters; the model's context holds ${contextLength} tokens.`,
    'context_length_exceeded',
    param,
  );
}

/** @throws ApiError 400 for a prompt that the model cannot go on with. */
export function checkPrompt(
  prompt: readonly number[],
  { engine }: Pick<Model, 'engine'>,
  param: string,
): void {
  try {
    roomFor(engine, prompt);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const isLong = prompt.length >= engine.config.contextLength;
    const code = isLong ? 'context_length_exceeded' : 'invalid_prompt';
    throw badRequest(error.message, code, param);
  }
}
