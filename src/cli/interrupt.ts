import { EXIT, InterruptedError } from './failure.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs `work` with a signal that is aborted by SIGINT (Ctrl-C) or SIGTERM, so that it can finish what must not be left
 * half done; a second one ends the process at once. Outside of this the process just dies, which is right for work that
 * leaves nothing behind.
 * @throws InterruptedError once `work` is over, when it was interrupted.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new InterruptedError());
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    const result = await work(controller.signal);
    controller.signal.throwIfAborted();
    return result;
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}
