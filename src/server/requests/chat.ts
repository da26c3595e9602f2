import { z } from 'zod';
import type { ChatMessage } from '../../checkpoint/chat-template.js';
import type { Model } from '../../engine/load-model.js';
import { errorMessage } from '../../files.js';
import { badRequest } from '../errors.js';
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

const MOST_MESSAGES = 1000;

const part = z.strictObject({ type: z.literal('text'), text: z.string() });
const content = z.union([
  z.string(),
  z.array(part).transform((parts) => parts.map(({ text }) => text).join('')),
]);
const nothing = z.union([z.null(), z.array(z.unknown()).max(0)]).optional();
/** Clients send an answer's message back as they got it, with the fields that say nothing. */
const message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  content,
  ...{ annotations: nothing, audio: nothing, function_call: nothing, refusal: nothing },
  tool_calls: nothing,
});
const schema = z.strictObject({
  ...commonFields,
  messages: z.array(message).min(1).max(MOST_MESSAGES),
  max_completion_tokens: z.int().min(1).optional(),
  logprobs: z.boolean().optional(),
  top_logprobs: z.int().min(0).max(MOST_TOP_LOGPROBS).optional(),
});

/**
 * A body of POST /v1/chat/completions.
 * @throws ApiError 400 or 404 where it cannot be served.
 */
export function parseChat(
  body: unknown,
  model: Pick<Model, 'engine' | 'tokenizer' | 'directory'>,
  options: ServerOptions,
): TextRequest {
  const parsed = parseBody(schema, body);
  const { max_completion_tokens: most, logprobs, top_logprobs: top = 0, ...fields } = parsed;
  checkModelName(fields.model, options.modelName);
  if (top > 0 && !logprobs)
    throw badRequest('top_logprobs needs logprobs: true.', 'invalid_value', 'top_logprobs');
  const tokenizer = tokenizerOf(model);
  if (!tokenizer.hasChatTemplate)
    throw badRequest(
      `The model ${options.modelName} has no chat template; POST /v1/completions continues text.`,
      'no_chat_template',
    );
  const messages = fields.messages.map(({ role, content }): ChatMessage => ({ role, content }));
  const length = messages.reduce((sum, { content }) => sum + content.length, 0);
  checkTextLength({ length }, model, 'messages');
  const prompt = tokenizer.encode(render(messages, model, tokenizer.chat));
  checkPrompt(prompt, model, 'messages');
  const asked = { ...fields, max_tokens: most ?? fields.max_tokens };
  return commonRequest(asked, logprobs ? top : undefined, [prompt], options.maxTokens, options);
}

/** The template's text. Templates refuse messages out of order, and say so; where files lie is not told to the world. */
function render(
  messages: readonly ChatMessage[],
  { directory }: Pick<Model, 'directory'>,
  chat: (messages: readonly ChatMessage[]) => string,
): string {
  try {
    return chat(messages);
  } catch (error) {
    const said = errorMessage(error).replaceAll(`${directory}/`, '');
    throw badRequest(said, 'invalid_messages', 'messages');
  }
}
