/** The two forms in which the same answers go out: those of POST /v1/chat/completions and POST /v1/completions. */
import type { FinishReason } from '../../decoding/generate.js';

/** What tells choices of one endpoint from those of the other. */
export interface AnswerShape {
  readonly idPrefix: string;
  /** `object` of a whole answer, and of a chunk. */
  readonly object: string;
  readonly chunkObject: string;
  /** A choice of a whole answer. */
  whole(index: number, text: string, reason: FinishReason): object;
  /** What a choice of a stream begins with; null for nothing. */
  begin(index: number): object | null;
  more(index: number, text: string): object;
  end(index: number, reason: FinishReason): object;
}

/** OpenAI's reasons: an end-of-sequence token and a stop text are the same to it. */
function finishReason(reason: FinishReason): 'stop' | 'length' {
  return reason === 'length' ? 'length' : 'stop';
}

export const CHAT_SHAPE: AnswerShape = {
  idPrefix: 'chatcmpl-',
  object: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  whole: (index, content, reason) => ({
    index,
    message: { role: 'assistant', content, refusal: null },
    logprobs: null,
    finish_reason: finishReason(reason),
  }),
  begin: (index) => chatChunk(index, { role: 'assistant', content: '' }, null),
  more: (index, content) => chatChunk(index, { content }, null),
  end: (index, reason) => chatChunk(index, {}, finishReason(reason)),
};

function chatChunk(index: number, delta: object, finish_reason: string | null): object {
  return { index, delta, logprobs: null, finish_reason };
}

export const COMPLETION_SHAPE: AnswerShape = {
  idPrefix: 'cmpl-',
  object: 'text_completion',
  chunkObject: 'text_completion',
  whole: (index, text, reason) => completionChoice(index, text, finishReason(reason)),
  begin: () => null,
  more: (index, text) => completionChoice(index, text, null),
  end: (index, reason) => completionChoice(index, '', finishReason(reason)),
};

function completionChoice(index: number, text: string, finish_reason: string | null): object {
  return { index, text, logprobs: null, finish_reason };
}
