import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCoupling } from '../../src/decoding/coupling.js';
import type { Drafter } from '../../src/decoding/drafter.js';
import { decodeRounds, type Round } from '../../src/decoding/rounds.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Engine } from '../../src/engine/engine.js';
import type { KvCache } from '../../src/engine/kv-cache.js';
import { precisions } from '../../src/graph/quantise.js';
import { randomStream } from '../../src/random.js';
import { complete, loadMiniature } from '../helpers/engine.js';
import { randomMask, randomTokens } from '../helpers/logits.js';
import type { MiniatureOptions } from '../helpers/miniature.js';

/** Draft length. */
const K = 6;
/** Passes beyond the draft that only dirty the cache. */
const extra = 3;
const newTokens = 24;
const contextLength = 160;
/** A first round of K drafts from these positions has 63, 64 and 65 among its first, middle or last rows. */
const promptLengths = [58, 60, 61, 62, 63, 64, 65];

const models: [string, MiniatureOptions][] = [
  ['grouped-query', {}],
  ['multi-head, sliding window', { kvHeads: 4, slidingWindow: 40 }],
];

/**
 * A drafter that knows the continuation `truth` (of the sequence from `start` on) and proposes it, but for a wrong token
 * at the offset that `script` gives (K: nothing is wrong). Before, it runs draft passes over random tokens with masks of
 * its own, so that everything from `position` on, and somewhat beyond the draft, is overwritten with what must not stay.
 */
function scriptedDrafter(
  engine: Engine,
  cache: KvCache,
  truth: readonly number[],
  start: number,
  script: readonly number[],
): { drafter: Drafter; outcomes: { drafted: number; accepted: number }[] } {
  const { layers, vocabSize } = engine.config;
  const random = randomStream(start);
  const outcomes: { drafted: number; accepted: number }[] = [];
  const drafter: Drafter = {
    longest: K,
    keep() {},
    async propose(draft, _last, position, limit) {
      const dirty = Math.min(limit + extra, contextLength - position);
      for (let i = 0; i < dirty; i++) {
        const gates = engine.gates(randomMask(layers, position + i, 0.7 * random()));
        const token = Math.floor(random() * vocabSize);
        await engine.forward(cache, [token], position + i, gates, 'last');
        draft.passes++;
      }
      const wrong = script[outcomes.length % script.length]!;
      for (let i = 0; i < limit; i++) {
        const right = truth[position + 1 - start + i]!;
        const shift = 1 + Math.floor(random() * (vocabSize - 1));
        draft.tokens[i] = i === wrong ? (right + shift) % vocabSize : right;
        draft.confidences[i] = 1;
        draft.length++;
      }
    },
    verified(drafted, accepted) {
      outcomes.push({ drafted, accepted });
    },
  };
  return { drafter, outcomes };
}

describe.each(precisions)('rolling back rejected drafts in %s', (precision) => {
  describe.each(models)('%s', (_name, options) => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await loadMiniature({ ...options, vocabSize: 64, contextLength }, precision, 1);
    });
    afterAll(() => engine.close());

    const wrongOffsets = Array.from({ length: K + 1 }, (_, offset) => offset);

    it.each(promptLengths)('prompt of %d tokens, a wrong token at every offset', async (length) => {
      const prompt = randomTokens(length, engine.config.vocabSize, length);
      const truth = (await complete(engine, { prompt, maxNewTokens: newTokens })).tokens;
      for (const offset of wrongOffsets) {
        // The rounds after the first one fail elsewhere, so that errors may pile up.
        const script = [offset, (offset + 3) % (K + 1), K, 0];
        const cache = engine.createCache(contextLength);
        const { drafter, outcomes } = scriptedDrafter(engine, cache, truth, length, script);
        const rounds: Round[] = [];
        const emitted: number[] = [];
        for await (const round of decodeRounds({
          engine,
          cache,
          prompt,
          maxNewTokens: newTokens,
          drafter,
          coupling: createCoupling('gumbel', GREEDY, engine.config.vocabSize, K),
          eos: new Set(),
        })) {
          rounds.push(round);
          emitted.push(...round.tokens);
          if (rounds.length !== 2 && rounds.length !== 3) continue;
          // The pass that the next round begins with, over what this one left in the cache.
          const sequence = [...prompt, ...emitted];
          const at = sequence.length - 1;
          const last = [sequence[at]!];
          const logits = await engine.forward(cache, last, at, engine.target, 'last');
          const fresh = await engine.prefill(engine.createCache(contextLength), sequence);
          expect(logits, `offset ${offset}`).toEqual(fresh);
        }
        expect(emitted, `offset ${offset}`).toEqual(truth);
        expect(rounds[1]!.accepted).toBe(offset);
        expect(rounds[1]!.tokens).toHaveLength(offset + 1);
        expect(rounds[1]!.position).toBe(length + 1);
        for (const [i, { drafted, accepted }] of outcomes.entries()) {
          expect(accepted).toBe(Math.min(script[i % script.length]!, drafted));
          expect(rounds[i + 1]).toMatchObject({ accepted, drafted: { length: drafted } });
        }
      }
    });
  });
});
