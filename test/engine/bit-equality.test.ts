import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { precisions } from '../../src/graph/quantise.js';
import { demo, loadEngine, loadMiniature } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';
import { uniforms } from '../helpers/random.js';

const chunkings = [[2], [5], [8], [16], [1, 7, 3, 12, 5], [33], [64], [100]];

/** Values that are not the same bits in one-by-one passes and in passes of these chunks. */
async function differences(engine: Engine, length: number, skip: number[] = []): Promise<number> {
  const random = uniforms(3);
  const vocabulary = engine.config.vocabSize;
  const tokens = Array.from({ length }, () => Math.floor(random() * vocabulary));
  const gates = engine.gates({ attention: skip, mlp: skip });
  const cache = engine.createCache(length);
  const alone: Float32Array[] = [];
  for (const [at, token] of tokens.entries()) {
    alone.push(await engine.forward(cache, [token], at, gates, 'all'));
  }
  let different = 0;
  for (const chunks of chunkings) {
    const fresh = engine.createCache(length);
    for (let at = 0, c = 0; at < length; c++) {
      const chunk = tokens.slice(at, at + chunks[c % chunks.length]!);
      const logits = await engine.forward(fresh, chunk, at, gates, 'all');
      for (let i = 0; i < chunk.length; i++) {
        const expected = alone[at + i]!;
        for (let v = 0; v < vocabulary; v++) {
          if (!Object.is(logits[i * vocabulary + v], expected[v])) different++;
        }
      }
      at += chunk.length;
    }
  }
  return different;
}

describe.each(precisions)(
  'a pass of M tokens equals M passes of one, bit by bit, in %s',
  (precision) => {
    it.each([
      ['grouped-query', { heads: 4, kvHeads: 2 }],
      ['multi-query', { heads: 4, kvHeads: 1 }],
      ['multi-head', { heads: 4, kvHeads: 4 }],
      [
        'grouped-query, biases, untied, head_dim apart from hidden / heads',
        { heads: 6, kvHeads: 2, headDim: 32, attentionBias: true, mlpBias: true, tied: false },
      ],
      ['sliding window', { slidingWindow: 40 }],
      ['head_dim in two parts for scores', { heads: 2, kvHeads: 1, headDim: 256 }],
      ['head_dim in one part for values', { heads: 4, kvHeads: 2, headDim: 24 }],
    ])('%s', async (_name, options) => {
      const engine = await loadMiniature({ ...options, contextLength: 256 }, precision, 2, 'gated');
      expect(await differences(engine, 220)).toBe(0);
      expect(await differences(engine, 140, [1])).toBe(0);
      await engine.close();
    });

    it('the graphs with and without gates', async () => {
      const gated = await loadEngine(demo, precision, 2, 'gated');
      const plain = await loadEngine(demo, precision, 2);
      const tokens = randomTokens(150, gated.config.vocabSize, 9);
      const caches = [gated.createCache(150), plain.createCache(150)] as const;
      for (let at = 0, count = 1; at < tokens.length; at += count, count = (count % 7) + 1) {
        const chunk = tokens.slice(at, at + count);
        const expected = await gated.forward(caches[0], chunk, at, gated.target, 'all');
        const logits = await plain.forward(caches[1], chunk, at, plain.target, 'all');
        expect(Buffer.compare(Buffer.from(logits.buffer), Buffer.from(expected.buffer))).toBe(0);
      }
      expect(() => plain.gates({ attention: [1], mlp: [] })).toThrow(RangeError);
      await gated.close();
      await plain.close();
    });

    it('the bundled model', async () => {
      const engine = await loadEngine(demo, precision);
      expect(await differences(engine, 200)).toBe(0);
      await engine.close();
    });
  },
);
