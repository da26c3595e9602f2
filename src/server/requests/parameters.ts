import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { SamplingOptions } from '../../decoding/sampling/options.js';
import { ApiError, badRequest } from '../errors.js';
import type { ServerOptions } from '../options.js';
import { withoutNeutral } from './neutral.js';

const MOST_STOPS = 16;
const MOST_STOP_CHARACTERS = 1000;
/** Seeds that are drawn are short enough to be typed in again. */
const DRAWN_SEEDS = 2 ** 32;

/** Most probable tokens beside each one, as OpenAI's API has it. */
export const MOST_TOP_LOGPROBS = 20;

const stopText = z.string().min(1).max(MOST_STOP_CHARACTERS);
/** What both kinds of requests have. */
export const commonFields = {
  model: z.string().optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().gt(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  min_p: z.number().min(0).max(1).optional(),
  // Choice i of a request has the seed + i.
  seed: z
    .int()
    .max(Number.MAX_SAFE_INTEGER - 1000)
    .optional(),
  n: z.int().min(1).optional(),
  stop: z.union([stopText, z.array(stopText).max(MOST_STOPS)]).optional(),
  stream: z.boolean().optional(),
  stream_options: z
    .strictObject({
      include_usage: z.boolean().nullish(),
      include_obfuscation: z.boolean().nullish(),
    })
    .optional(),
  max_tokens: z.int().min(1).optional(),
  // Not OpenAI's: what to decode with, which changes the time and not the text.
  profile: z.string().optional(),
};
const commonSchema = z.object(commonFields);

/** A request for text, checked and with every default filled in. */
export interface TextRequest {
  readonly prompts: readonly (readonly number[])[];
  /** Choices for each prompt. */
  readonly n: number;
  /** Those of choice 0; the others have seeds that follow its own. */
  readonly sampling: SamplingOptions;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly stream: boolean;
  /** The name of what to decode with; undefined for the first profile. */
  readonly profile: string | undefined;
  /** Most probable tokens that are told beside each one, with log-probabilities; undefined where none are asked for. */
  readonly topLogprobs: number | undefined;
  /** A stream ends with the usage. */
  readonly includeUsage: boolean;
}

/**
 * Checks a body against a schema.
 * @throws ApiError 400 naming the first parameter that does not fit.
 */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(withoutNeutral(body));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue.code === 'unrecognized_keys') {
    const name = [...issue.path, issue.keys[0]].join('.');
    throw badRequest(`There is no parameter ${name}; leave it out.`, 'unknown_parameter', name);
  }
  const param = issue.path.join('.');
  const said = issue.message.replace(/^Invalid input: /, '');
  throw badRequest(`${param} cannot be used: ${said}.`, 'invalid_value', param);
}

/** @throws ApiError 404 for a model that is not the one that is served. */
export function checkModelName(asked: string | undefined, served: string): void {
  if (asked === undefined || asked === served) return;
  throw new ApiError(404, `There is no model ${asked} here; this server has ${served}.`, {
    code: 'model_not_found',
    param: 'model',
  });
}

/**
 * What a request asks for, beside its prompts.
 * @param topLogprobs as {@link TextRequest.topLogprobs}: the endpoints ask for them in ways of their own.
 * @param unlimited most new tokens where the request does not say.
 * @throws ApiError 400 for more choices than one request may have.
 */
export function commonRequest(
  fields: z.infer<typeof commonSchema>,
  topLogprobs: number | undefined,
  prompts: readonly (readonly number[])[],
  unlimited: number,
  options: Pick<ServerOptions, 'sampling' | 'maxTokens' | 'maxChoices'>,
): TextRequest {
  const { n = 1, stop = [], stream = false, max_tokens: asked = unlimited } = fields;
  const { temperature, topP, topK, minP } = options.sampling;
  if (n * prompts.length > options.maxChoices) {
    const message = `The request asks for ${n * prompts.length} choices; at most ${options.maxChoices} are made for one.`;
    throw badRequest(message, 'too_many_choices', prompts.length > 1 ? 'prompt' : 'n');
  }
  return {
    prompts,
    n,
    sampling: {
      temperature: fields.temperature ?? temperature,
      topP: fields.top_p ?? topP,
      topK: fields.top_k ?? topK,
      minP: fields.min_p ?? minP,
      seed: fields.seed ?? randomInt(DRAWN_SEEDS),
    },
    maxTokens: Math.min(asked, options.maxTokens),
    stop: typeof stop === 'string' ? [stop] : stop,
    stream,
    profile: fields.profile,
    topLogprobs,
    includeUsage: fields.stream_options?.include_usage ?? false,
  };
}
