import type { Engine } from '../engine/engine.js';
import { createCoupling, NONE } from './coupling.js';
import type { DraftMemory } from './draft-memory.js';
import type { Draft, Drafter } from './drafter.js';
import { longestDraft, type Method } from './method.js';
import { draftRoom } from './rounds.js';
import { GREEDY } from './sampling/options.js';

/** A generation that has been: what of it drafters learn from. */
export interface PastGeneration {
  readonly prompt: readonly number[];
  /** New tokens. */
  readonly tokens: readonly number[];
  /** Most new tokens that there could have been. */
  readonly maxNewTokens: number;
  /**
   * Element i of each: the tokens that round i proposed, how many of them were accepted, and its draft passes; the prefill left
   * out.
   */
  readonly drafted: readonly number[];
  readonly accepted: readonly number[];
  readonly draftPasses: readonly number[];
}

/**
 * Goes through a generation of an earlier process once more without a pass of the model, so that a method's memory is what it was
 * after it. (Of one that a stop text ended, the tokens behind that text, which were never given out, are not learned.)
 */
export async function relearn(
  engine: Engine,
  method: Method,
  memory: DraftMemory,
  { prompt, tokens, maxNewTokens, drafted, accepted, draftPasses }: PastGeneration,
): Promise<void> {
  let round = 0;
  let at = 1;
  const recorded: Drafter = {
    longest: longestDraft(method),
    keep() {},
    async propose(draft) {
      draft.length = draftPasses[round]!;
      // Those that were rejected are not known, and nothing is learned from what followed them.
      for (let i = 0; i < draft.length; i++)
        draft.tokens[i] = i < accepted[round]! ? tokens[at + i]! : NONE;
    },
    verified() {},
    close: async () => {},
  };
  const coupling = createCoupling('gumbel', GREEDY, engine.config.vocabSize, 0);
  const cache = engine.createCache(1);
  const drafter = await memory.open({ engine, cache, coupling, eos: new Set(), recorded });
  if (!drafter) return;
  const draft: Draft = {
    length: 0,
    tokens: new Int32Array(drafter.longest),
    confidences: new Float64Array(drafter.longest),
    passes: 0,
  };
  drafter.keep(prompt);
  drafter.keep(tokens.slice(0, 1));
  const end = prompt.length + maxNewTokens;
  for (; round < drafted.length; round++) {
    // As decodeRounds does it.
    const position = prompt.length + at - 1;
    draft.length = 0;
    const limit = Math.min(drafter.longest, draftRoom(position, end));
    if (limit > 0) await drafter.propose(draft, tokens[at - 1]!, position, limit);
    drafter.verified(drafted[round]!, accepted[round]!);
    const emitted = tokens.slice(at, at + accepted[round]! + 1);
    drafter.keep(emitted);
    at += emitted.length;
  }
  await drafter.close();
}
