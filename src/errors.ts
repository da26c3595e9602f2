/** More than any sentence needs; what is longer was filled up by what it quotes. */
const MOST_CHARACTERS = 1000;

/**
 * A fault of what the user gave us (a flag, a file, a value in a file): one clear sentence that says what is wrong,
 * where (file, field, line) and what to do. The command line prints it alone and exits with 2. What it quotes of a file cannot
 * break the line, colour the terminal or fill it: such characters are written as escapes, and a long message is cut inside.
 */
export class InputError extends Error {
  override readonly name = 'InputError';

  /** The flag whose value is at fault, where the message names what it led to instead, such as a file of the model. */
  flag?: string;

  constructor(message: string) {
    super(shortened(escaped(message.replace(/\s*[\n\r]\s*/g, ' '))));
  }
}

/** Control characters, and those that change the direction of text or end a line, as JavaScript escapes. */
function escaped(message: string): string {
  return message.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The file stands at the beginning, what to do at the end. */
function shortened(message: string): string {
  if (message.length <= MOST_CHARACTERS) return message;
  const half = MOST_CHARACTERS / 2 - 2;
  return `${message.slice(0, half)} … ${message.slice(-half)}`;
}
