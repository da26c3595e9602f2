import type { GenerateEvent } from '../decoding/generate.js';
import { createTokenPieces, type TokenOrigin } from '../decoding/token-pieces.js';
import { colours } from './colours.js';

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
 * @param textOf the text that each token adds, in the order of the tokens.
 * @param rest the text that is left after the last token.
 */
export function createDraftPainter(
  textOf: (token: number) => string,
  rest: () => string,
): (event: GenerateEvent) => string {
  const piecesOf = createTokenPieces(textOf, rest);
  return (event) =>
    piecesOf(event)
      .map(({ text, origin }) => paint(text, origin))
      .join('');
}
