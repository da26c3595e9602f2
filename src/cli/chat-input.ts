import { createInterface, type Interface } from 'node:readline';

const PROMPT = '> ';

/** What is said to a chat, message by message. */
export interface ChatInput {
  readonly isInteractive: boolean;
  /** The next message; null at the end. */
  next(): Promise<string | null>;
}

type Terminal = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** Messages from a terminal, where they can be edited, or a line each of anything else. */
export function createChatInput(input: Terminal = process.stdin): ChatInput {
  return input.isTTY ? terminalInput(input) : pipedInput(input);
}

function pipedInput(input: Terminal): ChatInput {
  const lines = createInterface({ input })[Symbol.asyncIterator]();
  return {
    isInteractive: false,
    async next() {
      const step = await lines.next();
      return step.done ? null : step.value;
    },
  };
}

/**
 * A line editor for each message alone: between them the terminal is as usual, so that Ctrl-C interrupts an answer. Ctrl-C empties
 * the line, Ctrl-D ends.
 */
function terminalInput(input: Terminal): ChatInput {
  // Answers may go to a file.
  const output = process.stdout.isTTY ? process.stdout : process.stderr;
  let history: string[] = [];
  return {
    isInteractive: true,
    next: () =>
      new Promise((resolve) => {
        const editor = createInterface({ input, output, terminal: true, history, prompt: PROMPT });
        editor.on('history', (lines) => {
          history = lines;
        });
        editor.on('SIGINT', () => emptied(editor, output));
        editor.on('close', () => resolve(null));
        const lines: string[] = [];
        editor.on('line', (line) => {
          lines.push(line);
          // Lines that come at once were pasted, and are one message; what is behind the last is still to be ended.
          setImmediate(() => {
            if (editor.line !== '' || lines.length === 0) return;
            resolve(lines.splice(0).join('\n'));
            editor.close();
          });
        });
        editor.prompt();
      }),
  };
}

function emptied(editor: Interface, output: NodeJS.WritableStream): void {
  if (editor.line === '') output.write('\nCtrl-D or /quit leaves.\n');
  editor.write(null, { ctrl: true, name: 'e' });
  editor.write(null, { ctrl: true, name: 'u' });
  editor.prompt();
}
