/**
 * Parameters of OpenAI's API that this server has not. What would change the text is refused, but for the value that changes
 * nothing (clients send defaults); what does not concern the text is passed over.
 */
import { badRequest } from '../errors.js';

const is =
  (...values: unknown[]) =>
  (value: unknown) =>
    values.includes(value);
const isEmpty = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
const isTextFormat = (value: unknown) =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'text';

/** By parameter, which values change nothing. */
const NEUTRAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  audio: () => false,
  best_of: is(1),
  echo: is(false),
  frequency_penalty: is(0),
  function_call: is('none', 'auto'),
  functions: isEmpty,
  grammar: () => false,
  guided_json: () => false,
  logit_bias: isEmpty,
  modalities: (value) => Array.isArray(value) && value.every(is('text')),
  presence_penalty: is(0),
  reasoning_effort: () => false,
  repetition_penalty: is(1),
  response_format: isTextFormat,
  suffix: is(''),
  tool_choice: is('none', 'auto'),
  tools: isEmpty,
  verbosity: () => false,
  web_search_options: () => false,
};

const IGNORED = new Set([
  'metadata',
  'parallel_tool_calls',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'user',
]);

/**
 * The body without the parameters that say nothing here; null is the same as nothing.
 * @throws ApiError 400 for a body that is no object, and for a parameter that would change the text.
 */
export function withoutNeutral(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('The body is not a JSON object.', 'invalid_type');
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (value === null || IGNORED.has(name)) continue;
    if (!Object.hasOwn(NEUTRAL, name)) {
      kept[name] = value;
      continue;
    }
    if (!NEUTRAL[name]!(value))
      throw badRequest(
        `${name} is not supported with this value; leave it out.`,
        'unsupported_parameter',
        name,
      );
  }
  return kept;
}
