import { type Choice, type Generator, generateChoice } from '../../decoding/choice.js';
import type { GenerateEvent } from '../../decoding/generate.js';
import type { Round } from '../../decoding/rounds.js';
import type { TextRequest } from '../requests/parameters.js';
import type { CountedChoice } from './usage.js';

/** Something that happened to a choice of an answer. */
export type ChoiceEvent =
  | { readonly kind: 'begin'; readonly index: number }
  | { readonly kind: 'more'; readonly index: number; readonly event: GenerateEvent }
  | { readonly kind: 'end'; readonly index: number; readonly choice: Choice };

/**
 * Makes the choices of a request one after another: those of a prompt together, so that they share what it left in the cache.
 * @param learn told every round, and how many of its tokens belong to the output.
 */
export async function* makeChoices(
  generator: Generator,
  { prompts, n, sampling, maxTokens, stop, topLogprobs }: TextRequest,
  signal: AbortSignal,
  learn: (round: Round, tokens: number) => void,
): AsyncGenerator<ChoiceEvent, CountedChoice[], void> {
  const made: CountedChoice[] = [];
  for (const prompt of prompts) {
    for (let i = 0; i < n; i++) {
      const index = made.length;
      yield { kind: 'begin', index };
      const seeded = { ...sampling, seed: sampling.seed + i };
      const request = { prompt, maxTokens, stop, topLogprobs, sampling: seeded };
      const choice = yield* forward(generateChoice(generator, request, signal), index, learn);
      made.push({ promptTokens: i === 0 ? prompt.length : 0, choice });
      yield { kind: 'end', index, choice };
    }
  }
  return made;
}

async function* forward(
  running: AsyncGenerator<GenerateEvent, Choice, void>,
  index: number,
  learn: (round: Round, tokens: number) => void,
): AsyncGenerator<ChoiceEvent, Choice, void> {
  try {
    for (;;) {
      const step = await running.next();
      if (step.done) return step.value;
      const { round, tokens } = step.value;
      if (round) learn(round, tokens.length);
      yield { kind: 'more', index, event: step.value };
    }
  } finally {
    // Where nobody goes on reading, the cache is given back all the same.
    await running.return(undefined as never);
  }
}
