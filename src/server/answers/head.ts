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
