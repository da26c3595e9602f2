import { createTextStream } from '../checkpoint/text-stream.js';
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import type { GenerateEvent } from '../decoding/generate.js';
import { createTokenPieces } from '../decoding/token-pieces.js';

/** Text of one token, and where the token came from: an accepted draft, or the full model. */
export interface Piece {
  readonly text: string;
  readonly accepted: boolean;
}

/** Takes the text of events apart by token. */
export function createPieces(tokenizer: TextTokenizer): (event: GenerateEvent) => Piece[] {
  const stream = createTextStream(tokenizer);
  const piecesOf = createTokenPieces(stream.push, stream.end);
  return (event) =>
    piecesOf(event).map(({ text, origin }) => ({ text, accepted: origin === 'accepted' }));
}
