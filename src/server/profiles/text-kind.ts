/** Kinds of text that profiles do differently on. They are told apart by characters, which any language and tokenizer has. */
export type TextKind = 'code' | 'figures' | 'prose';

/** Share of non-space characters that programs and markup have, and texts have not. */
const CODE_MARKS = 0.02;
/** Share of words with a digit in them. */
const FIGURE_WORDS = 0.06;

/** The kind of a text; an empty one is prose. */
export function textKind(text: string): TextKind {
  const words = text.match(/\S+/g) ?? [];
  const characters = words.reduce((sum, { length }) => sum + length, 0);
  const marks = text.match(/[{}()[\]<>=_;`#|\\]/g)?.length ?? 0;
  if (marks > 0 && marks >= CODE_MARKS * characters) return 'code';
  const figures = words.filter((word) => /\d/.test(word)).length;
  return figures > 0 && figures >= FIGURE_WORDS * words.length ? 'figures' : 'prose';
}
