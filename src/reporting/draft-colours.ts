import type { GenerateEvent } from '../decoding/generate.js';
import { colours } from './colours.js';

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

/** How text of each origin is shown: in colour, or in brackets where there is none. */
function paint(text: string, origin: TokenOrigin): string {
  if (text === '') return '';
  if (colours.level === 0) return bracket(text, BRACKETS[origin]);
  if (origin === 'accepted') return colours.green(text);
  return origin === 'corrected' ? colours.black.bgYellow(text) : colours.cyan(text);
}

const BRACKETS = { accepted: ['', ''], corrected: ['{', '}'], target: ['[', ']'] } as const;

/** What parts a token from the one before (spaces, or the comma between ids) stays outside. */
function bracket(text: string, [open, close]: readonly [string, string]): string {
  const [between = ''] = /^(?:\s+(?=\S)|,(?=\d))/.exec(text) ?? [];
  return `${between}${open}${text.slice(between.length)}${close}`;
}

/** One line that says what the colours mean. */
export function draftLegend(): string {
  const names: [TokenOrigin, string][] = [
    ['accepted', 'drafted and accepted'],
    ['corrected', 'corrected by the target'],
    ['target', "the target's own"],
  ];
  return names.map(([origin, name]) => paint(name, origin)).join('  ');
}

/**
 * Colours a generation's text by origin as it arrives.
 *
 * Events give out text in other pieces than tokens (half a character or the beginning of a stop text is held back), so
 * the text of the tokens waits in a queue until the events let it go.
 * @param textOf the text that each token adds, in the order of the tokens.
 * @param rest the text that is left after the last token.
 */
export function createDraftPainter(
  textOf: (token: number) => string,
  rest: () => string,
): (event: GenerateEvent) => string {
  const queue: { text: string; origin: TokenOrigin }[] = [];
  return ({ round, tokens, text }) => {
    if (round === null) queue.push({ text: rest(), origin: 'target' });
    else
      for (const [i, token] of tokens.entries())
        queue.push({
          text: textOf(token),
          origin: tokenOrigin(round.drafted.length, round.accepted, i),
        });
    let wanted = text.length;
    let painted = '';
    while (wanted > 0 && queue.length > 0) {
      const [first] = queue;
      const piece = first.text.slice(0, wanted);
      painted += paint(piece, first.origin);
      wanted -= piece.length;
      first.text = first.text.slice(piece.length);
      if (first.text === '') queue.shift();
    }
    return painted;
  };
}
