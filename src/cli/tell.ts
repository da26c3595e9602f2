import { stderrColours } from '../reporting/colours.js';

/** The least that is worth wrapping to. */
const NARROWEST = 40;

/**
 * A sentence for a person, on stderr: `Note: ...`. On a terminal lines end between words, elsewhere it is one line that
 * scripts can search.
 */
export function tell(
  label: 'Note' | 'Error',
  text: string,
  stream: NodeJS.WritableStream & {
    readonly isTTY?: boolean;
    readonly columns?: number;
  } = process.stderr,
): void {
  const colour = label === 'Note' ? stderrColours.yellow : stderrColours.red;
  const lines = wrap(`${label}: ${text}`, stream.isTTY ? stream.columns : undefined);
  stream.write(`${colour(`${label}:`)}${lines.slice(label.length + 1)}\n`);
}

/** Ends lines between words, so that none is wider than `columns` unless a single word is. */
function wrap(text: string, columns?: number): string {
  if (columns === undefined || columns < NARROWEST) return text;
  const line = new RegExp(`(\\S{${columns},}|.{1,${columns}})(?: +|$)`, 'gm');
  return text.replace(line, (match, words: string, at: number, whole: string) =>
    at + match.length === whole.length || whole[at + match.length] === '\n' ? words : `${words}\n`,
  );
}
