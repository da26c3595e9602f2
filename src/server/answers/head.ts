import { randomUUID } from 'node:crypto';
import type { AnswerShape } from './shape.js';

/** What an answer, and each chunk of it, begins with. */
export interface AnswerHead {
  readonly id: string;
  readonly object: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  /** The same for the same seed gives the same text. */
  readonly system_fingerprint: string;
}

/** How an answer was made, which OpenAI's clients do not ask for: its field `sspec`. */
export interface AnswerDetails {
  /** Of choice 0. */
  readonly seed: number;
  readonly profile: string;
  /** What a speedup is told against; null where it could not be measured. */
  readonly autoregressive_tokens_per_second: number | null;
}

export function answerHead(
  { idPrefix, object, chunkObject }: AnswerShape,
  stream: boolean,
  model: string,
  fingerprint: string,
): AnswerHead {
  return {
    id: `${idPrefix}${randomUUID().replaceAll('-', '')}`,
    object: stream ? chunkObject : object,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: fingerprint,
  };
}
