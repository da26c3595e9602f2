import type { TextTokenizer } from '../../checkpoint/tokenizer.js';
import { createPieces } from '../pieces.js';
import type { TextRequest } from '../requests/parameters.js';
import type { ChoiceEvent } from './choices.js';
import type { EventStream } from './event-stream.js';
import type { AnswerDetails, AnswerHead } from './head.js';
import type { AnswerShape } from './shape.js';
import { createTokenList, type ListedToken, type TokenList } from './token-list.js';
import { type CountedChoice, usageOf } from './usage.js';

/**
 * Sends what happens to the choices, chunk by chunk. A chunk with text has `sspec`: its text by token, which of the tokens
 * came from an accepted draft, and how many tokens were made for it; OpenAI's clients pass over it.
 */
export async function streamAnswer(
  choices: AsyncGenerator<ChoiceEvent, CountedChoice[], void>,
  stream: EventStream,
  shape: AnswerShape,
  head: AnswerHead,
  { includeUsage, topLogprobs }: TextRequest,
  tokenizer: TextTokenizer,
  details: AnswerDetails,
): Promise<void> {
  const send = (choice: object, sspec?: object) =>
    stream.send({
      ...head,
      choices: [choice],
      ...(includeUsage && { usage: null }),
      ...(sspec && { sspec }),
    });
  let piecesOf = createPieces(tokenizer);
  let list: TokenList | null = null;
  let listed: ListedToken[] = [];
  let begun = false;
  let tokens = 0;
  for (;;) {
    const step = await choices.next();
    if (step.done) {
      if (includeUsage)
        stream.send({ ...head, choices: [], usage: usageOf(step.value), sspec: details });
      stream.send('[DONE]');
      stream.end();
      return;
    }
    const happened = step.value;
    const { kind, index } = happened;
    if (kind === 'begin') {
      piecesOf = createPieces(tokenizer);
      list = topLogprobs === undefined ? null : createTokenList(tokenizer);
      listed = [];
      begun = false;
      tokens = 0;
    } else if (kind === 'more') {
      const { event } = happened;
      // Not before the first pass is over: a fault of the prompt's is an answer with a status.
      stream.open();
      const first = begun ? null : shape.begin(index);
      begun = true;
      if (first) send(first);
      const pieces = piecesOf(event);
      tokens += event.tokens.length;
      listed.push(...(list?.take(event) ?? []));
      if (event.text === '') continue;
      send(shape.more(index, event.text, list && listed), { tokens, pieces });
      tokens = 0;
      listed = [];
    } else {
      const { finishReason } = happened.choice;
      listed.push(...(list?.end(finishReason) ?? []));
      send(shape.end(index, finishReason, listed.length > 0 ? listed : null));
    }
  }
}
