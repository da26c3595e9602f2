import type { TextRequest } from '../requests/parameters.js';
import type { ChoiceEvent } from './choices.js';
import type { AnswerHead } from './head.js';
import type { AnswerShape } from './shape.js';
import { type CountedChoice, usageOf } from './usage.js';

/** An answer in one piece: the body. */
export async function wholeAnswer(
  choices: AsyncGenerator<ChoiceEvent, CountedChoice[], void>,
  shape: AnswerShape,
  head: AnswerHead,
  { sampling: { seed } }: TextRequest,
): Promise<object> {
  let step = await choices.next();
  while (!step.done) step = await choices.next();
  const made = step.value;
  return {
    ...head,
    choices: made.map(({ choice: { text, finishReason } }, index) =>
      shape.whole(index, text, finishReason),
    ),
    usage: usageOf(made),
    sspec: { seed },
  };
}
