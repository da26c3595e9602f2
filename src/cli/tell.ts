import { stderrColours } from '../reporting/colours.js';
import { wrapLine } from '../reporting/width.js';

/** The least width that is worth wrapping to. */
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
  const { isTTY, columns = 0 } = stream;
  const width = isTTY && columns >= NARROWEST ? columns : Number.POSITIVE_INFINITY;
  const lines = `${label}: ${text}`.split('\n').flatMap((line) => wrapLine(line, width));
  stream.write(`${colour(`${label}:`)}${lines.join('\n').slice(label.length + 1)}\n`);
}
