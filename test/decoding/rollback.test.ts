import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCoupling } from '../../src/decoding/coupling.js';
import { complete } from '../../src/decoding/generate.js';
import { decodeRounds, type Round } from '../../src/decoding/rounds.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Engine } from '../../src/engine/engine.js';
import { segmentRoom } from '../../src/engine/engine.js';
import { precisions } from '../../src/graph/quantise.js';
import { loadMiniature } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';
import type { MiniatureOptions } from '../helpers/miniature.js';
import { scriptedDrafter } from '../helpers/scripted-drafter.js';

/** Draft length. */
const K = 6;
const newTokens = 16;
const contextLength = 160;
/** A first round of K drafts from these positions has 63, 64 and 65 among its first, middle or last rows. */
const promptLengths = [59, 61, 63, 64];

const models: [string, MiniatureOptions][] = [
  ['grouped-query', {}],
  ['multi-head, sliding window', { kvHeads: 4, slidingWindow: 40 }],
];

describe.each(precisions)('rolling back rejected drafts in %s', (precision) => {
  describe.each(models)('%s', (_name, options) => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await loadMiniature(
        { ...options, layers: 3, vocabSize: 64, contextLength },
        precision,
        1,
        'gated',
      );
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
        const { drafter, outcomes } = scriptedDrafter(engine, cache, {
          longest: K,
          truth,
          start: length,
          wrong: script,
        });
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
        // A draft ends where the segment does.
        const accepted = Math.min(offset, segmentRoom(length) - 1);
        expect(rounds[1]!.accepted).toBe(accepted);
        expect(rounds[1]!.tokens).toHaveLength(accepted + 1);
        expect(rounds[1]!.position).toBe(length + 1);
        for (const [i, { drafted, accepted }] of outcomes.entries()) {
          expect(accepted).toBe(Math.min(script[i % script.length]!, drafted));
          expect(rounds[i + 1]).toMatchObject({ accepted, drafted: { length: drafted } });
        }
      }
    });
  });
});
