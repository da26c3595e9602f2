import { createInterface } from 'node:readline';
import { InterruptedError } from './failure.js';

/** Where a question is asked; both ends of a terminal. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** stderr, so that data on stdout may go to a file. */
const OWN: Terminal = { input: process.stdin, output: process.stderr };

/** Whether there is somebody to ask. */
export function canAsk({ input, output }: Terminal = OWN): boolean {
  return input.isTTY === true && output.isTTY === true;
}

/**
 * Asks a question that only `y` or `yes` affirms; no answer (Ctrl-D) is a no.
 * @throws InterruptedError after Ctrl-C.
 */
export async function confirm(question: string, { input, output }: Terminal = OWN) {
  const lines = createInterface({ input, output, terminal: true, prompt: `${question} [y/N] ` });
  try {
    lines.prompt();
    const answer = await new Promise<string>((resolve, reject) => {
      lines.on('line', resolve);
      // Neither ends the line of the question.
      lines.on('SIGINT', () => output.write('\n', () => reject(new InterruptedError())));
      lines.on('close', () => output.write('\n', () => resolve('')));
    });
    return /^\s*y(es)?\s*$/i.test(answer);
  } finally {
    lines.removeAllListeners('close').close();
  }
}
