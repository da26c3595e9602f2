import { InputError } from '../../errors.js';
import type { DraftContext, Drafter } from '../drafter.js';

/**
 * A drafter of the caller's own. Whatever it proposes, the output is that of autoregressive decoding: proposals are verified
 * like any other's.
 */
export interface CustomMethod {
  readonly name: 'custom';
  /** The most tokens that one of its drafts has. */
  readonly longest: number;
  /** The drafter of one generation; it is closed at its end. */
  open(context: CustomContext): Drafter | Promise<Drafter>;
}

/** The generation that a drafter of the caller's own drafts for. */
export type CustomContext = Omit<DraftContext, 'coupling' | 'recorded'>;

/**
 * Opens the caller's drafter, and sees to what the caller need not know of: its tokens are proposed as ones that no
 * distribution stands behind, and drafts that cannot be verified are refused.
 * @throws InputError for a `longest` that is no count or below the drafter's own.
 */
export async function openCustom(
  { longest, open }: CustomMethod,
  { engine, cache, eos, coupling }: DraftContext,
): Promise<Drafter> {
  if (!Number.isSafeInteger(longest) || longest < 1)
    throw new InputError(`The drafter's longest is ${longest}: give a whole number of 1 or more.`);
  const drafter = await open({ engine, cache, eos });
  if (drafter.longest > longest) {
    await drafter.close();
    throw new InputError(
      `The drafter drafts up to ${drafter.longest} tokens, but the method's longest is ${longest}; give the larger number.`,
    );
  }
  const { vocabSize } = engine.config;
  return {
    longest: drafter.longest,
    keep: (tokens) => drafter.keep(tokens),
    async propose(draft, last, position, limit) {
      await drafter.propose(draft, last, position, limit);
      if (!(draft.length >= 0 && draft.length <= limit))
        throw new InputError(`The drafter proposed ${draft.length} tokens where ${limit} fit.`);
      for (let i = 0; i < draft.length; i++) {
        const token = draft.tokens[i]!;
        if (token < 0 || token >= vocabSize)
          throw new InputError(
            `The drafter proposed token ${token}; the vocabulary has 0 to ${vocabSize - 1}.`,
          );
        coupling.propose(token, i);
      }
    },
    verified: (drafted, accepted) => drafter.verified(drafted, accepted),
    close: () => drafter.close(),
  };
}
