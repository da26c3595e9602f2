/** Mutations of text by its pieces: lines of a file, tags of a template. */
import type { Random } from '../../../src/random.js';
import { editCount, NAMES, pick } from './hostile.js';

const MOST_PIECES = 20_000;

/**
 * Mutates pieces by one to four edits: left out, repeated, exchanged, or others put among them.
 * @param others pieces of other inputs, hostile ones among them.
 */
export function mutatePieces(
  random: Random,
  pieces: readonly string[],
  others: readonly string[],
): string[] {
  const mutated = [...pieces];
  const at = () => random.integer(Math.max(1, mutated.length));
  for (let edits = editCount(random); edits > 0; edits--) {
    switch (random.integer(6)) {
      case 0:
        mutated.splice(at(), 1 + random.integer(3));
        break;
      case 1: {
        const from = at();
        const piece = mutated.slice(from, from + 1 + random.integer(4));
        const times = Math.min(2 ** random.integer(12), MOST_PIECES / (piece.length + 1));
        mutated.splice(from, 0, ...Array.from({ length: times }, () => piece).flat());
        break;
      }
      case 2: {
        const [a, b] = [at(), at()];
        const [first = '', second = ''] = [mutated[a], mutated[b]];
        mutated.splice(a, 1, second);
        mutated.splice(b, 1, first);
        break;
      }
      case 3:
        mutated.splice(at(), 0, pick(random, NAMES));
        break;
      default:
        mutated.splice(at(), random.integer(2), pick(random, others));
    }
  }
  return mutated;
}
