import { argmax } from '../decoding/sampling/greedy.js';
import type { Engine } from '../engine/engine.js';
import { bitsToMask } from '../profile/mask.js';

/**
 * How much each sublayer matters by itself: the share of positions of the given sequences where the model, run
 * teacher-forced with that one sublayer skipped, still has the full model's most likely token (the leave-one-out
 * ranking of SWIFT's and KnapSpec's ablations). One pass per sublayer and sequence.
 * @param sequences token ids, each at most one prefill chunk long.
 * @returns [2 L] agreement in [0, 1], by bit of the mask.
 */
export async function leaveOneOut(
  engine: Engine,
  sequences: readonly (readonly number[])[],
  onProgress: (done: number, total: number) => void,
): Promise<Float64Array> {
  const bits = 2 * engine.config.layers;
  const cache = engine.createCache(Math.max(...sequences.map((sequence) => sequence.length)));
  const agreement = new Float64Array(bits);
  const positions = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
  for (const [done, sequence] of sequences.entries()) {
    const full = await choices(engine, cache, sequence, new Uint8Array(bits));
    for (let bit = 0; bit < bits; bit++) {
      const mask = new Uint8Array(bits);
      mask[bit] = 1;
      const skipped = await choices(engine, cache, sequence, mask);
      agreement[bit]! += full.filter((token, i) => token === skipped[i]).length / positions;
      onProgress(done * bits + bit + 1, sequences.length * bits);
    }
  }
  return agreement;
}

/** The most likely next token at every position of a sequence. */
async function choices(
  engine: Engine,
  cache: ReturnType<Engine['createCache']>,
  sequence: readonly number[],
  mask: Uint8Array,
): Promise<number[]> {
  const vocabulary = engine.config.vocabSize;
  const logits = await engine.forward(cache, sequence, 0, engine.gates(bitsToMask(mask)), 'all');
  return sequence.map((_, i) => argmax(logits, i * vocabulary, vocabulary));
}
