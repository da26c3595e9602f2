import type { PullOptions } from '../hub/client.js';
import type { Progress } from '../reporting/progress.js';

/** Follows a download on stderr; the display begins with the first bytes that are told of. */
export async function downloadProgress(
  label: string,
  quiet: boolean,
): Promise<{ readonly options: PullOptions; stop(): void }> {
  const { createProgress } = await import('../reporting/progress.js');
  let shown: Progress | undefined;
  let done = 0;
  let note = '';
  return {
    options: {
      onProgress: (now, total) => {
        // What is here already needs no bar.
        if (shown === undefined && now === total) return;
        shown ??= createProgress({ label, total, done: now, unit: 'bytes', quiet });
        done = now;
        shown.update(now);
      },
      onWait: (reason) => {
        if (reason === note) return;
        note = reason;
        // Lines come every few seconds and only with new bytes: a wait has one of its own.
        if (shown !== undefined && process.stderr.isTTY) shown.update(done, note);
        else if (note !== '' && !quiet) process.stderr.write(`${label}: ${note}\n`);
      },
    },
    stop: () => shown?.stop(),
  };
}

/**
 * The path of a model by its reference; what is not here is downloaded, with progress on stderr.
 * @throws InputError as `obtainModel` does
 */
export async function obtainWithProgress(reference: string, quiet: boolean): Promise<string> {
  const { obtainModel } = await import('../hub/obtain.js');
  const { options, stop } = await downloadProgress(`Downloading ${reference}`, quiet);
  try {
    return await obtainModel(reference, options);
  } finally {
    stop();
  }
}
