import type { ServerResponse } from 'node:http';
import { ApiError, ClientGone } from './errors.js';

/** A signal that ends a request early, and what frees its listeners and timer. */
export interface Aborter {
  readonly signal: AbortSignal;
  release(): void;
}

/**
 * Ends a request when its client goes away, when it has taken too long, or when the server stops. The signal's reason is the
 * answer.
 * @param seconds that the request may take.
 * @param stopping aborted when the server cannot wait any longer.
 */
export function createAborter(
  response: ServerResponse,
  seconds: number,
  stopping: AbortSignal,
): Aborter {
  const controller = new AbortController();
  const onClose = () => {
    if (!response.writableFinished) controller.abort(new ClientGone());
  };
  const onStop = () => controller.abort(stopping.reason);
  const timer = setTimeout(() => {
    const message = `The request took longer than ${seconds} seconds.`;
    controller.abort(new ApiError(504, message, { code: 'timeout' }));
  }, seconds * 1000);
  response.once('close', onClose);
  stopping.addEventListener('abort', onStop, { once: true });
  if (stopping.aborted) onStop();
  if (response.destroyed || response.socket?.destroyed) onClose();
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      response.off('close', onClose);
      stopping.removeEventListener('abort', onStop);
    },
  };
}
