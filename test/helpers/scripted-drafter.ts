import type { Drafter } from '../../src/decoding/drafter.js';
import type { Engine } from '../../src/engine/engine.js';
import type { KvCache } from '../../src/engine/kv-cache.js';
import { randomMask } from './logits.js';
import { uniforms } from './random.js';

/** What a scripted drafter knows and does. */
export interface Script {
  /** Draft length. */
  readonly longest: number;
  /** The continuation that the target will give, from position `start` (the prompt's length) on. */
  readonly truth: readonly number[];
  readonly start: number;
  /** Offset of the wrong token in each round's draft, over and over; one past the draft's end: nothing is wrong. */
  readonly wrong: readonly number[];
}

/** Passes beyond the draft that only dirty the cache. */
const extra = 2;

/**
 * A drafter that proposes the true continuation, but for a wrong token where the script says so. Before, it runs real
 * draft passes over random tokens, each with a random mask, so that everything from the round's position on, and
 * somewhat beyond the draft, is overwritten with keys and values that must not stay.
 */
export function scriptedDrafter(
  engine: Engine,
  cache: KvCache,
  { longest, truth, start, wrong }: Script,
): { drafter: Drafter; outcomes: { drafted: number; accepted: number }[] } {
  const { layers, vocabSize, contextLength } = engine.config;
  const random = uniforms(start);
  const outcomes: { drafted: number; accepted: number }[] = [];
  const drafter: Drafter = {
    longest,
    keep() {},
    async propose(draft, _last, position, limit) {
      const dirty = Math.min(limit + extra, contextLength - position);
      for (let i = 0; i < dirty; i++) {
        const gates = engine.gates(randomMask(layers, position + i, 0.7 * random()));
        const token = Math.floor(random() * vocabSize);
        await engine.forward(cache, [token], position + i, gates, 'last');
        draft.passes++;
      }
      const wrongOffset = wrong[outcomes.length % wrong.length]!;
      for (let i = 0; i < limit; i++) {
        const right = truth[position + 1 - start + i]!;
        const shift = 1 + Math.floor(random() * (vocabSize - 1));
        draft.tokens[i] = i === wrongOffset ? (right + shift) % vocabSize : right;
        draft.confidences[i] = 1;
        draft.length++;
      }
    },
    verified(drafted, accepted) {
      outcomes.push({ drafted, accepted });
    },
    close: async () => {},
  };
  return { drafter, outcomes };
}
