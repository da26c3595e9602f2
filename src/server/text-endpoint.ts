import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Generator } from '../decoding/choice.js';
import { createAborter } from './aborter.js';
import { makeChoices } from './answers/choices.js';
import { createEventStream } from './answers/event-stream.js';
import { answerHead } from './answers/head.js';
import type { AnswerShape } from './answers/shape.js';
import { streamAnswer } from './answers/stream.js';
import { wholeAnswer } from './answers/whole.js';
import { toApiError } from './errors.js';
import type { ServerOptions } from './options.js';
import type { TextRequest } from './requests/parameters.js';
import { tokenizerOf } from './requests/prompt.js';
import type { Turns } from './turns.js';

/** What the endpoints that make text share. */
export interface TextService {
  readonly generator: Generator;
  readonly options: ServerOptions;
  readonly turns: Turns;
  /** Aborted when the server cannot wait for its requests any longer; the reason is their answer. */
  readonly stopping: AbortSignal;
  readonly fingerprint: string;
}

/**
 * The handler of an endpoint that makes text: it checks the request, waits for a turn, and answers whole or as a stream.
 * @param parse checks a body, and throws an ApiError where it cannot be served.
 */
export function textEndpoint(
  { generator, options, turns, stopping, fingerprint }: TextService,
  shape: AnswerShape,
  parse: (body: unknown) => TextRequest,
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<object | undefined> => {
    const wanted = parse(request.body);
    const head = answerHead(shape, wanted.stream, options.modelName, fingerprint);
    const { signal, release } = createAborter(reply.raw, options.timeout, stopping);
    try {
      return await turns.take(request.ip, signal, async () => {
        const choices = makeChoices(generator, wanted, signal);
        const stream = createEventStream(reply);
        try {
          if (!wanted.stream) return await wholeAnswer(choices, shape, head, wanted);
          const tokenizer = tokenizerOf(generator.model);
          await streamAnswer(choices, stream, shape, head, wanted, tokenizer);
        } catch (error) {
          if (!stream.isOpen) throw error;
          stream.fail(toApiError(error, options.onFailure));
        } finally {
          await choices.return([]);
        }
        return undefined;
      });
    } finally {
      release();
    }
  };
}
