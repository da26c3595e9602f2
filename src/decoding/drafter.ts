import type { DraftLease } from '../engine/engine.js';
import type { KvCache } from '../engine/kv-cache.js';
import type { Coupling } from './coupling.js';
import type { DraftExitState } from './draft-exit.js';
import type { LookupLength } from './lookup-length.js';
import type { PromptLookup } from './prompt-lookup.js';
import { topProbability } from './sampling/greedy.js';

/** A draft in the making; buffers are used again in every round. */
export interface Draft {
  length: number;
  /** Proposed tokens, [longest draft]. */
  readonly tokens: Int32Array;
  /** The draft's softmax probability of each; 1 where there is no distribution. */
  readonly confidences: Float64Array;
  /** Draft passes so far in this round. */
  passes: number;
}

/** Proposes what may come next. */
export interface Drafter {
  /** The most tokens that `propose` ever writes. */
  readonly longest: number;
  /** Tokens that stay: the prompt, then what every round emitted. */
  keep(tokens: readonly number[]): void;
  /**
   * Fills `draft` with up to `limit` tokens that may follow `last`, the token at `position`, whose keys and values are
   * not in the cache yet. What it writes to the cache from `position` on is overwritten by the target pass.
   */
  propose(draft: Draft, last: number, position: number, limit: number): Promise<void>;
  /** What became of the draft. */
  verified(drafted: number, accepted: number): void;
}

/** Self-speculative drafting (Zhang et al. 2023, section 3): the model itself with sublayers skipped. */
export function createSkipDrafter(
  { engine, gates }: DraftLease,
  cache: KvCache,
  coupling: Coupling,
  exit: DraftExitState,
  draftLength: number,
  eos: ReadonlySet<number>,
): Drafter {
  const vocabulary = engine.config.vocabSize;
  const input = [0];
  return {
    longest: draftLength,
    keep() {},
    async propose(draft, last, position, limit) {
      let token = last;
      while (draft.length < limit) {
        input[0] = token;
        const index = draft.length;
        const logits = await engine.forward(cache, input, position + index, gates, 'last');
        token = coupling.draft(logits, position + index + 1, index);
        draft.passes++;
        draft.tokens[index] = token;
        const confidence = topProbability(logits, 0, vocabulary, logits[token]!);
        draft.confidences[index] = confidence;
        draft.length++;
        if (eos.has(token) || exit.shouldStop(draft.length, confidence)) return;
      }
    },
    verified: (drafted, accepted) => exit.afterVerify(drafted, accepted),
  };
}

/** Prompt lookup: what followed the latest earlier occurrence of the last tokens, as many as pay. */
export function createLookupDrafter(
  lookup: PromptLookup,
  lengths: LookupLength,
  coupling: Coupling,
  draftLength: number,
): Drafter {
  lookup.begin();
  return {
    longest: draftLength,
    keep: (tokens) => lookup.append(tokens),
    async propose(draft, _last, _position, limit) {
      const place = lookup.find();
      if (place === 0) return;
      const most = Math.min(limit, draftLength);
      const wanted = lengths.choose(lookup.matched(place), lookup.isEarlier(place), most);
      draft.length = lookup.propose(place, wanted, draft.tokens);
      for (let i = 0; i < draft.length; i++) {
        draft.confidences[i] = 1;
        coupling.propose(draft.tokens[i]!, i);
      }
    },
    verified: (drafted, accepted) => lengths.verified(drafted, accepted),
  };
}
