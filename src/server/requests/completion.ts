import { z } from 'zod';
import type { Model } from '../../engine/load-model.js';
import type { ServerOptions } from '../options.js';
import {
  checkModelName,
  commonFields,
  commonRequest,
  MOST_TOP_LOGPROBS,
  parseBody,
  type TextRequest,
} from './parameters.js';
import { checkPrompt, checkTextLength, tokenizerOf } from './prompt.js';

/** What OpenAI's API makes where a completion does not say how much. */
const DEFAULT_TOKENS = 16;

const ids = z.array(z.int().min(0));
const schema = z.strictObject({
  ...commonFields,
  prompt: z.union([z.string(), z.array(z.string()).min(1), ids.min(1), z.array(ids).min(1)]),
  logprobs: z.union([z.literal(false), z.int().min(0).max(MOST_TOP_LOGPROBS)]).optional(),
});

/**
 * A body of POST /v1/completions.
 * @throws ApiError 400 or 404 where it cannot be served.
 */
export function parseCompletion(
  body: unknown,
  model: Pick<Model, 'engine' | 'tokenizer'>,
  options: ServerOptions,
): TextRequest {
  const { logprobs: asked = false, ...fields } = parseBody(schema, body);
  const topLogprobs = asked === false ? undefined : asked;
  checkModelName(fields.model, options.modelName);
  const tokenizer = tokenizerOf(model);
  const { prompt } = fields;
  const listed = typeof prompt === 'string' ? [prompt] : isIds(prompt) ? [prompt] : prompt;
  // Counts the choices before any text is tokenised.
  commonRequest(
    fields,
    topLogprobs,
    listed.map(() => []),
    DEFAULT_TOKENS,
    options,
  );
  const prompts = listed.map((one) => {
    if (typeof one !== 'string') return one;
    checkTextLength(one, model, 'prompt');
    return tokenizer.encodePrompt(one);
  });
  for (const one of prompts) checkPrompt(one, model, 'prompt');
  return commonRequest(fields, topLogprobs, prompts, DEFAULT_TOKENS, options);
}

function isIds(prompt: readonly (string | number | number[])[]): prompt is number[] {
  return typeof prompt[0] === 'number';
}
