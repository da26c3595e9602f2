import type { TextTokenizer } from '../../checkpoint/tokenizer.js';
import type { TextRequest } from '../requests/parameters.js';
import type { ChoiceEvent } from './choices.js';
import type { AnswerDetails, AnswerHead } from './head.js';
import type { AnswerShape } from './shape.js';
import { createTokenList, type ListedToken, type TokenList } from './token-list.js';
import { type CountedChoice, usageOf } from './usage.js';

/** An answer in one piece: the body. */
export async function wholeAnswer(
  choices: AsyncGenerator<ChoiceEvent, CountedChoice[], void>,
  shape: AnswerShape,
  head: AnswerHead,
  { topLogprobs }: TextRequest,
  tokenizer: TextTokenizer,
  details: AnswerDetails,
): Promise<object> {
  const made: object[] = [];
  let list: TokenList | null = null;
  let tokens: ListedToken[] = [];
  for (;;) {
    const step = await choices.next();
    if (step.done) return { ...head, choices: made, usage: usageOf(step.value), sspec: details };
    const happened = step.value;
    if (happened.kind === 'begin') {
      list = topLogprobs === undefined ? null : createTokenList(tokenizer);
      tokens = [];
    } else if (happened.kind === 'more') tokens.push(...(list?.take(happened.event) ?? []));
    else {
      const { text, finishReason } = happened.choice;
      tokens.push(...(list?.end(finishReason) ?? []));
      made.push(shape.whole(happened.index, text, finishReason, list && tokens));
    }
  }
}
