/**
 * Turns at the model. One request has it at a time; the others wait in a queue for each client, and clients come in turn,
 * so that one that asks a hundred things at once delays the others by one.
 */
import { ApiError } from './errors.js';

export interface Turns {
  /** Requests that wait. */
  readonly waiting: number;
  /** Whether one has its turn. */
  readonly busy: boolean;
  /**
   * Waits for a turn, and has it until `work` is over.
   * @param signal ends the waiting; `work` has to heed it for itself.
   * @throws ApiError 429 when too many wait; the signal's reason when it is aborted before the turn comes.
   */
  take<T>(client: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Sends everybody away who waits. */
  dismiss(reason: Error): void;
  /** Fulfilled once nobody waits or has a turn. */
  idle(): Promise<void>;
}

interface Waiting {
  readonly client: string;
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

/** Weight of the latest turn in the average of how long one takes. */
const LATEST = 0.2;
const MOST_RETRY_SECONDS = 120;

/** @param limit most requests that wait. */
export function createTurns(limit: number): Turns {
  /** Clients that wait, whose turn is next first. */
  const queues = new Map<string, Waiting[]>();
  const idlers: (() => void)[] = [];
  let waiting = 0;
  let busy = false;
  let averageSeconds = 1;

  const leave = (one: Waiting): boolean => {
    const queue = queues.get(one.client);
    const at = queue?.indexOf(one) ?? -1;
    if (!queue || at < 0) return false;
    queue.splice(at, 1);
    if (queue.length === 0) queues.delete(one.client);
    waiting--;
    return true;
  };

  const next = (): void => {
    const [first] = queues;
    if (!first) {
      busy = false;
      for (const tell of idlers.splice(0)) tell();
      return;
    }
    const [client, queue] = first;
    const [one] = queue;
    leave(one);
    // The client goes behind the others.
    if (queues.delete(client)) queues.set(client, queue);
    one.start();
  };

  const wait = (client: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const onAbort = () => one.refuse(signal.reason);
      const one: Waiting = {
        client,
        start() {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
        refuse(reason) {
          signal.removeEventListener('abort', onAbort);
          if (leave(one)) reject(reason);
        },
      };
      const queue = queues.get(client) ?? [];
      queue.push(one);
      queues.set(client, queue);
      waiting++;
      signal.addEventListener('abort', onAbort, { once: true });
    });

  return {
    get waiting() {
      return waiting;
    },
    get busy() {
      return busy;
    },
    async take(client, signal, work) {
      signal.throwIfAborted();
      if (busy) {
        if (waiting >= limit) {
          const seconds = Math.ceil(averageSeconds * (waiting + 1));
          const retryAfter = Math.min(MOST_RETRY_SECONDS, Math.max(1, seconds));
          const message = `${waiting} requests wait already; try again in ${retryAfter} seconds.`;
          throw new ApiError(429, message, { code: 'queue_full', retryAfter });
        }
        await wait(client, signal);
      }
      busy = true;
      const started = performance.now();
      try {
        return await work();
      } finally {
        const seconds = (performance.now() - started) / 1000;
        averageSeconds += LATEST * (seconds - averageSeconds);
        next();
      }
    },
    dismiss(reason) {
      for (const one of [...queues.values()].flat()) one.refuse(reason);
    },
    idle: () => (busy ? new Promise((resolve) => idlers.push(() => resolve())) : Promise.resolve()),
  };
}
