import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { type ApiError, errorBody } from '../errors.js';

/** An answer as server-sent events. */
export interface EventStream {
  /** Whether the headers are out; until then an error can still be an answer of its own. */
  readonly isOpen: boolean;
  /** Sends the headers, once. */
  open(): void;
  send(data: object | '[DONE]'): void;
  /** Tells an error in the middle of an answer, and ends it. */
  fail(error: ApiError): void;
  end(): void;
}

/**
 * Nothing waits for a slow reader: how much a request may make is limited, so it is kept for him and the next one has its
 * turn. What is sent to a client that has gone away is dropped.
 */
export function createEventStream(reply: FastifyReply): EventStream {
  const { raw } = reply;
  let isOpen = false;
  const stream: EventStream = {
    get isOpen() {
      return isOpen;
    },
    open() {
      if (isOpen) return;
      isOpen = true;
      reply.hijack();
      raw.on('error', () => {});
      raw.writeHead(200, {
        ...(reply.getHeaders() as OutgoingHttpHeaders),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
        // Asks nginx not to gather events.
        'x-accel-buffering': 'no',
      });
    },
    send(data) {
      if (raw.destroyed) return;
      raw.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    },
    fail(error) {
      stream.send(errorBody(error));
      stream.end();
    },
    end() {
      if (!raw.destroyed) raw.end();
    },
  };
  return stream;
}
