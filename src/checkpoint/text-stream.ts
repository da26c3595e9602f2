import type { TextTokenizer } from './tokenizer.js';

/** Tokens decoded together at most; a window that grows past it is restarted. */
const MAX_WINDOW = 32;
const REPLACEMENT = '\uFFFD';

/** Turns token ids that arrive one by one into text that is final as soon as it is given out. */
export interface TextStream {
  /** Takes the next token; returns the text that became certain with it, often the token's own, sometimes ''. */
  push(id: number): string;
  /** The text still held back: a character whose last bytes never came, as U+FFFD. The stream is done then. */
  end(): string;
}

/**
 * Streams `tokenizer.decode`: all pushes and `end` together are exactly the text of all ids decoded at once (special
 * tokens left out). A token cannot be decoded alone (its bytes may be part of a character, its leading space may be
 * stripped), so a window of tokens is decoded and the part not yet given out is returned, less a last U+FFFD, which
 * may be the beginning of a character. The window is restarted where decoding falls apart into two halves, so the cost of a
 * token does not grow with the text.
 */
export function createTextStream(
  tokenizer: Pick<TextTokenizer, 'decode' | 'isSpecial'>,
): TextStream {
  let window: number[] = [];
  let text = '';
  /** Characters of `text` already given out. */
  let sent = 0;

  return {
    push(id) {
      if (tokenizer.isSpecial(id)) return '';
      window.push(id);
      text = tokenizer.decode(window);
      // An unfinished character decodes to one U+FFFD; those before the last one are final.
      const certain = text.endsWith(REPLACEMENT) ? text.length - 1 : text.length;
      const fresh = text.slice(sent, certain);
      sent = Math.max(sent, certain);
      if (window.length > MAX_WINDOW) restart();
      return fresh;
    },
    end() {
      const rest = text.slice(sent);
      window = [];
      text = '';
      sent = 0;
      return rest;
    },
  };

  /**
   * Drops the first tokens of the window. A cut is sound where the two sides decode apart to what they decode to together:
   * a character cut in two would come out as more U+FFFD than it has. SentencePiece decoders strip one space at
   * the start of a text, so the right side may lack it. It must not be empty, or the next space would be stripped too.
   */
  function restart(): void {
    for (let cut = window.length >> 1; cut < window.length; cut++) {
      const right = tokenizer.decode(window.slice(cut));
      const left = text.length - right.length;
      if (right === '' || !text.endsWith(right)) continue;
      const head = tokenizer.decode(window.slice(0, cut));
      if (text.slice(0, left) !== head && text.slice(0, left) !== `${head} `) continue;
      window = window.slice(cut);
      text = right;
      sent -= left;
      return;
    }
  }
}
