import { createTextStream } from '../checkpoint/text-stream.js';
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import type { GenerateEvent } from '../decoding/generate.js';

/** Text of one token, and where the token came from: an accepted draft, or the full model. */
export interface Piece {
  readonly text: string;
  readonly accepted: boolean;
}

/**
 * Takes the text of events apart by token.
 *
 * Events give out text in other pieces than tokens (half a character or the beginning of a stop text is held back), so
 * the text of the tokens waits in a queue until the events let it go.
 */
export function createPieces(tokenizer: TextTokenizer): (event: GenerateEvent) => Piece[] {
  const stream = createTextStream(tokenizer);
  const queue: { text: string; readonly accepted: boolean }[] = [];
  return ({ round, tokens, text }) => {
    if (round === null) queue.push({ text: stream.end(), accepted: false });
    else
      for (const [i, token] of tokens.entries())
        queue.push({ text: stream.push(token), accepted: i < round.accepted });
    const pieces: Piece[] = [];
    let wanted = text.length;
    while (wanted > 0 && queue.length > 0) {
      const [first] = queue;
      const part = first.text.slice(0, wanted);
      if (part !== '') pieces.push({ text: part, accepted: first.accepted });
      wanted -= part.length;
      first.text = first.text.slice(part.length);
      if (first.text === '') queue.shift();
    }
    return pieces;
  };
}
