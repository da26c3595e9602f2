import { createTextStream } from '../../checkpoint/text-stream.js';
import type { TextTokenizer } from '../../checkpoint/tokenizer.js';
import type { FinishReason, GenerateEvent } from '../../decoding/generate.js';
import type { TokenLogprob } from '../../decoding/logprobs.js';

/** A token, as answers with log-probabilities have it. */
export interface ToldToken {
  /** What it spells; a token that is a part of a character as `bytes:\xe2\x80`, as OpenAI writes it. */
  readonly text: string;
  readonly bytes: readonly number[];
  readonly logprob: number;
}

/** A token of the answer, and the most probable ones at its place. */
export interface ListedToken extends ToldToken {
  /** Where its text begins in the answer, in characters. */
  readonly offset: number;
  readonly top: readonly ToldToken[];
}

/** Lists an answer's tokens along with its text. */
export interface TokenList {
  /** Those whose text begins in the text that is out with this event. */
  take(event: GenerateEvent): ListedToken[];
  /** The others: not those of a stop text, which is no part of the answer, and not the end-of-sequence token. */
  end(reason: FinishReason): ListedToken[];
}

/** What JSON can hold in place of a probability of 0; OpenAI's API has the same. */
const LEAST = -9999;

export function createTokenList(tokenizer: TextTokenizer): TokenList {
  const stream = createTextStream(tokenizer);
  const waiting: ListedToken[] = [];
  let spelled = 0;
  let given = 0;
  const told = ({ token, logprob }: TokenLogprob): ToldToken => {
    const bytes = tokenizer.bytes(token);
    return { text: tokenText(bytes), bytes: [...bytes], logprob: Math.max(LEAST, logprob) };
  };
  return {
    take({ round, tokens, text }) {
      for (const [i, token] of tokens.entries()) {
        const { top, ...own } = round!.logprobs![i]!;
        waiting.push({ ...told(own), offset: spelled, top: top.map(told) });
        spelled += stream.push(token).length;
      }
      // What comes after the last token belongs to those that wait, but for the end-of-sequence token.
      if (round === null) return [];
      given += text.length;
      const open = waiting.findIndex(({ offset }) => offset >= given);
      return waiting.splice(0, open < 0 ? waiting.length : open);
    },
    end(reason) {
      if (reason === 'stop') return [];
      return reason === 'eos' ? waiting.slice(0, -1) : waiting;
    },
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function tokenText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    const escaped = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
    return `bytes:${escaped.join('')}`;
  }
}
