import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Generator } from '../decoding/choice.js';
import { createAborter } from './aborter.js';
import { makeChoices } from './answers/choices.js';
import { createEventStream } from './answers/event-stream.js';
import { type AnswerDetails, answerHead } from './answers/head.js';
import type { AnswerShape } from './answers/shape.js';
import { streamAnswer } from './answers/stream.js';
import { wholeAnswer } from './answers/whole.js';
import type { Baseline } from './baseline.js';
import { toApiError } from './errors.js';
import type { Metrics } from './metrics.js';
import type { ServerOptions } from './options.js';
import type { Profiles } from './profiles/profiles.js';
import type { TextRequest } from './requests/parameters.js';
import { tokenizerOf } from './requests/prompt.js';
import type { Turns } from './turns.js';

/** What the endpoints that make text share. */
export interface TextService {
  readonly generator: Omit<Generator, 'method'>;
  readonly metrics: Pick<Metrics, 'turn'>;
  readonly profiles: Profiles;
  readonly baseline: Pick<Baseline, 'tokensPerSecond'>;
  readonly options: ServerOptions;
  readonly turns: Turns;
  /** Aborted when the server cannot wait for its requests any longer; the reason is their answer. */
  readonly stopping: AbortSignal;
  readonly fingerprint: string;
}

/** Tokens at the end of a prompt by which its kind is told. */
const TELLING = 512;

/**
 * The handler of an endpoint that makes text: it checks the request, waits for a turn, and answers whole or as a stream.
 * @param parse checks a body, and throws an ApiError where it cannot be served.
 */
export function textEndpoint(
  { generator, metrics, profiles, baseline, options, turns, stopping, fingerprint }: TextService,
  shape: AnswerShape,
  parse: (body: unknown) => TextRequest,
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<object | undefined> => {
    const wanted = parse(request.body);
    profiles.check(wanted.profile);
    const tokenizer = tokenizerOf(generator.model);
    const head = answerHead(shape, wanted.stream, options.modelName, fingerprint);
    const { signal, release } = createAborter(reply.raw, options.timeout, stopping);
    const asked = performance.now();
    try {
      return await turns.take(request.ip, signal, async () => {
        const begun = performance.now();
        const textEnd = () => tokenizer.decode(wanted.prompts[0]!.slice(-TELLING));
        const { profile, learn } = profiles.choose(wanted.profile, textEnd);
        const choices = makeChoices(
          { ...generator, method: profile.method },
          wanted,
          signal,
          learn,
        );
        const stream = createEventStream(reply);
        const how: AnswerDetails = {
          seed: wanted.sampling.seed,
          profile: profile.name,
          autoregressive_tokens_per_second: baseline.tokensPerSecond,
        };
        try {
          if (!wanted.stream)
            return await wholeAnswer(choices, shape, head, wanted, tokenizer, how);
          await streamAnswer(choices, stream, shape, head, wanted, tokenizer, how);
        } catch (error) {
          if (!stream.isOpen) throw error;
          stream.fail(toApiError(error, options.onFailure));
        } finally {
          await choices.return([]);
          metrics.turn((performance.now() - begun) / 1000, (begun - asked) / 1000);
        }
        return undefined;
      });
    } finally {
      release();
    }
  };
}
