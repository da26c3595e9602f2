import type { GenerateEvent } from './generate.js';

/**
 * Where an emitted token came from: drafted and accepted; the target's in place of a rejected one; or the target's own,
 * where nothing was drafted or everything was accepted.
 */
export type TokenOrigin = 'accepted' | 'corrected' | 'target';

/**
 * The origin of the token at `index` of a round.
 * @param drafted how many tokens were proposed, `accepted` of them accepted.
 */
export function tokenOrigin(drafted: number, accepted: number, index: number): TokenOrigin {
  if (index < accepted) return 'accepted';
  return drafted > accepted ? 'corrected' : 'target';
}

/** Text of one token, or a part of it, and where the token came from. */
export interface TokenPiece {
  readonly text: string;
  readonly origin: TokenOrigin;
}

/**
 * Takes a generation's text apart by token as it arrives.
 *
 * Events give out text in other pieces than tokens (half a character or the beginning of a stop text is held back), so
 * the text of the tokens waits in a queue until the events let it go.
 * @param textOf the text that each token adds, in the order of the tokens.
 * @param rest the text that is left after the last token.
 */
export function createTokenPieces(
  textOf: (token: number) => string,
  rest: () => string,
): (event: GenerateEvent) => TokenPiece[] {
  const queue: { text: string; readonly origin: TokenOrigin }[] = [];
  return ({ round, tokens, text }) => {
    if (round === null) queue.push({ text: rest(), origin: 'target' });
    else
      for (const [i, token] of tokens.entries())
        queue.push({
          text: textOf(token),
          origin: tokenOrigin(round.drafted.length, round.accepted, i),
        });
    const pieces: TokenPiece[] = [];
    let wanted = text.length;
    while (wanted > 0 && queue.length > 0) {
      const [first] = queue;
      const part = first.text.slice(0, wanted);
      if (part !== '') pieces.push({ text: part, origin: first.origin });
      wanted -= part.length;
      first.text = first.text.slice(part.length);
      if (first.text === '') queue.shift();
    }
    return pieces;
  };
}
