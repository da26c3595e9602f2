import { InputError } from '../../../src/errors.js';

/** Longer than any sentence that a person reads. */
const MOST_CHARACTERS = 1200;

/**
 * What is wrong with an error by which an input was refused; undefined where it is what a user can go by: one sentence that names
 * the file.
 * @param named what of it must stand there: names of files of the input, or of its folder.
 */
export function faultOf(error: unknown, named: readonly string[]): string | undefined {
  if (!(error instanceof InputError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `no InputError: ${text.slice(0, 2000)}`;
  }
  const { message } = error;
  const shown = JSON.stringify(message.slice(0, 600));
  if (message.length > MOST_CHARACTERS) return `${message.length} characters: ${shown}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(message))
    return `control characters: ${shown}`;
  if (!named.some((name) => message.includes(name))) return `names no file: ${shown}`;
  if (message.includes(' at ') && /\n\s+at /.test(message)) return `a stack trace: ${shown}`;
  return undefined;
}

/** The kind of refusal: a sentence without the names and numbers in it. */
export function kindOf(message: string, folder: string): string {
  return message
    .replaceAll(folder, '')
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/-?\d[\d.,e+-]*/g, '0')
    .slice(0, 120);
}
