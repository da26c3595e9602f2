/** The two forms in which the same answers go out: those of POST /v1/chat/completions and POST /v1/completions. */
import type { FinishReason } from '../../decoding/generate.js';
import type { ListedToken, ToldToken } from './token-list.js';

/** Tokens that go out with log-probabilities; null where none were asked for. */
export type Tokens = readonly ListedToken[] | null;

/** What tells choices of one endpoint from those of the other. */
export interface AnswerShape {
  readonly idPrefix: string;
  /** `object` of a whole answer, and of a chunk. */
  readonly object: string;
  readonly chunkObject: string;
  /** A choice of a whole answer. */
  whole(index: number, text: string, reason: FinishReason, tokens: Tokens): object;
  /** What a choice of a stream begins with; null for nothing. */
  begin(index: number): object | null;
  more(index: number, text: string, tokens: Tokens): object;
  end(index: number, reason: FinishReason, tokens: Tokens): object;
}

/** OpenAI's reasons: an end-of-sequence token and a stop text are the same to it. */
function finishReason(reason: FinishReason): 'stop' | 'length' {
  return reason === 'length' ? 'length' : 'stop';
}

export const CHAT_SHAPE: AnswerShape = {
  idPrefix: 'chatcmpl-',
  object: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  whole: (index, content, reason, tokens) => ({
    index,
    message: { role: 'assistant', content, refusal: null },
    logprobs: chatLogprobs(tokens),
    finish_reason: finishReason(reason),
  }),
  begin: (index) => chatChunk(index, { role: 'assistant', content: '' }, null, null),
  more: (index, content, tokens) => chatChunk(index, { content }, null, tokens),
  end: (index, reason, tokens) => chatChunk(index, {}, finishReason(reason), tokens),
};

function chatChunk(
  index: number,
  delta: object,
  finish_reason: string | null,
  tokens: Tokens,
): object {
  return { index, delta, logprobs: chatLogprobs(tokens), finish_reason };
}

function chatLogprobs(tokens: Tokens): object | null {
  if (!tokens) return null;
  const told = ({ text, bytes, logprob }: ToldToken) => ({ token: text, logprob, bytes });
  const content = tokens.map((token) => ({ ...told(token), top_logprobs: token.top.map(told) }));
  return { content, refusal: null };
}

export const COMPLETION_SHAPE: AnswerShape = {
  idPrefix: 'cmpl-',
  object: 'text_completion',
  chunkObject: 'text_completion',
  whole: (index, text, reason, tokens) =>
    completionChoice(index, text, finishReason(reason), tokens),
  begin: () => null,
  more: (index, text, tokens) => completionChoice(index, text, null, tokens),
  end: (index, reason, tokens) => completionChoice(index, '', finishReason(reason), tokens),
};

function completionChoice(
  index: number,
  text: string,
  finish_reason: string | null,
  tokens: Tokens,
): object {
  return { index, text, logprobs: completionLogprobs(tokens), finish_reason };
}

/** Here the token itself is among the most probable ones, as OpenAI has it: up to one more than asked for. */
function completionLogprobs(tokens: Tokens): object | null {
  if (!tokens) return null;
  const top = tokens.map((token) =>
    token.top.length === 0
      ? null
      : Object.fromEntries([...token.top, token].map(({ text, logprob }) => [text, logprob])),
  );
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: top.includes(null) ? null : top,
    text_offset: tokens.map(({ offset }) => offset),
  };
}
