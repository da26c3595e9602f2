import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Columns of what is printed where there is no terminal to ask. */
export const LINE_WIDTH = 100;

/** What is asked for its width. */
interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Columns of the terminal that stdout is, 100 elsewhere. */
export function lineWidth({ isTTY, columns }: Output = process.stdout): number {
  return (isTTY && columns) || LINE_WIDTH;
}

/** Columns that a text takes in a terminal; colours take none, wide characters two. */
export function textWidth(text: string): number {
  return stringWidth(text);
}

/**
 * Breaks a line between words; further lines begin where the first does. A word that is longer, such as a path, runs over and is
 * left to the terminal, from which it can be copied in one piece.
 */
export function wrapLine(text: string, width: number): string[] {
  return wrapped(text, width, false);
}

/** The same, where nothing may run over: such words are broken inside. */
export function wrapCell(text: string, width: number): string[] {
  return wrapped(text, width, true);
}

function wrapped(text: string, width: number, hard: boolean): string[] {
  if (textWidth(text) <= width) return [text];
  const [indent] = /^ */.exec(text)!;
  const room = width - indent.length;
  if (room < 1) return wrapAnsi(text, width, { hard }).split('\n');
  return wrapAnsi(text.trimStart(), room, { hard })
    .split('\n')
    .map((line) => indent + line);
}
