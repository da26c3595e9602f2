import { describe, expect, it } from 'vitest';
import { planGraph } from '../../src/engine/draft-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Gates } from '../../src/engine/gates.js';
import type { Precision } from '../../src/graph/quantise.js';
import { loadEngine } from '../helpers/engine.js';
import { writeGgufMiniature } from '../helpers/gguf-miniature.js';
import { randomTokens } from '../helpers/logits.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';

const vocabSize = 150;
const mask = { attention: [1], mlp: [0] };
/** Four or eight at a time; kernels sum the columns that are left over, the whole head's last two, in another order. */
const words = Int32Array.from([0, 3, 4, 31, 32, 64, 77, 147]);
const more = [1, 5, 33, 149];
const tokens = randomTokens(40, vocabSize, 8);
const wide = { vocabSize, layers: 2, hiddenSize: 256, intermediateSize: 256, heads: 4 };

const miniature = (tied: boolean) =>
  writeMiniature(temporaryDirectory(), { vocabSize, layers: 2, tied }).directory;
const models: [string, Precision, () => string][] = [
  ...(['fp32', 'int8', 'int4'] as const).flatMap((precision) =>
    [false, true].map((tied): [string, Precision, () => string] => [
      `${precision}, ${tied ? 'tied' : 'untied'}`,
      precision,
      () => miniature(tied),
    ]),
  ),
  ['blocks of Q4_1 with offsets, tied', 'int4', () => ggufMiniature('Q4_1', true)],
  ['blocks of Q4_1 with offsets, untied', 'int4', () => ggufMiniature('Q4_1', false)],
  ['blocks of Q8_0', 'int8', () => ggufMiniature('Q8_0', false)],
];

function ggufMiniature(type: 'Q4_1' | 'Q8_0', tied: boolean): string {
  return writeGgufMiniature({ ...wide, tied }, () => type);
}

/** Logits of the last token. */
async function logitsOf(engine: Engine, target: Engine, gates: Gates): Promise<Float32Array> {
  const cache = target.createCache(64);
  const last = tokens.length - 1;
  await target.prefill(cache, tokens.slice(0, last));
  return engine.forward(cache, [tokens[last]!], last, gates, 'last');
}

describe('a head over some words', () => {
  it.each(models)('has the logits of the whole one: %s', async (_, precision, write) => {
    const target = await loadEngine(write(), precision, 1);
    try {
      const whole = await target.draft(planGraph({ mask, bridges: [], words: null }, target.model));
      const small = await target.draft(planGraph({ mask, bridges: [], words }, target.model));
      const expected = await logitsOf(whole.engine, target, whole.gates);
      const columns = Array.from(words, (word) => expected[word]!);

      const none = await logitsOf(small.engine, target, small.gates);
      expect(Array.from(none)).toEqual(columns);

      const { headRows } = small.engine;
      const rows = headRows!.feeds(await headRows!.lookUp(more));
      const feeds = { ...small.gates.feeds, ...rows };
      const some = await logitsOf(small.engine, target, { ...small.gates, feeds });
      expect(some).toHaveLength(words.length + more.length);
      expect(Array.from(some.subarray(0, words.length))).toEqual(columns);
      // Those that are named are multiplied in single precision, without the rounding of activations to 8 bits.
      const spread = Math.max(...expected) - Math.min(...expected);
      const tolerance = precision === 'fp32' ? 1e-5 : 0.02;
      for (const [i, word] of more.entries()) {
        const error = Math.abs(some[words.length + i]! - expected[word]!);
        expect(error / spread, `word ${word}`).toBeLessThan(tolerance);
      }
      await whole.release();
      await small.release();
    } finally {
      await target.close();
    }
  });
});
