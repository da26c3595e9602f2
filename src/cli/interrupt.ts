import { EXIT, InterruptedError } from './failure.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs `work` with a signal that is aborted by SIGINT (Ctrl-C) or SIGTERM, so that it can finish what must not be left
 * half done; a second one ends the process at once. Outside of this the process just dies, which is right for work that
 * leaves nothing behind.
 * @throws InterruptedError once `work` is over, when it was interrupted.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { result, interrupted } = await stoppable(work);
  if (interrupted) throw new InterruptedError();
  return result;
}

/**
 * As {@link interruptible}, for work that has something to give when it is stopped; where it has nothing, it throws the
 * signal's reason.
 */
export async function stoppable<T>(
  work: (signal: AbortSignal) => Promise<T>,
): Promise<{ readonly result: T; readonly interrupted: boolean }> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new InterruptedError());
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    const result = await work(controller.signal);
    return { result, interrupted: controller.signal.aborted };
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}
