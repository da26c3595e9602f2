/**
 * What a precision costs: the predictions of a quantised model against those of the same model at fp32, on one text.
 *
 * symbol | shape        | meaning
 * -------|--------------|------------------------------------------------------------------------
 * p, q   | [vocabulary] | probabilities of the next token, at fp32 and at the precision
 * t      | scalar       | the token that does come next
 *
 * Over all positions of a text that have a next token: perplexity is exp(mean -ln q(t)), agreement the share of argmax p =
 * argmax q, and the divergence the mean of KL(p || q) = sum p ln(p / q), in nats.
 */
import { argmax } from '../decoding/sampling/greedy.js';
import { type Engine, prefillChunk } from '../engine/engine.js';
import type { Precision } from '../graph/quantise.js';

/** A probability whose logarithm is below this adds nothing that counts to a divergence. */
const leastLogProbability = -40;

/** How well a precision predicts a text. */
export interface Quality {
  readonly precision: Precision;
  readonly perplexity: number;
  /** 1 for fp32 itself. */
  readonly agreement: number;
  /** In nats; 0 for fp32 itself. */
  readonly divergence: number;
}

/**
 * Runs texts through a model at several precisions, teacher-forced.
 * @param engines of the same model; the first is the reference, at fp32
 * @param texts token ids; what goes beyond the context is left out
 * @param onProgress told how many of all predicted positions are done, and how many there are
 * @returns one for each engine, in their order; null when the texts have no position to predict
 */
export async function measureQuality(
  engines: readonly Engine[],
  texts: readonly (readonly number[])[],
  onProgress: (done: number, total: number) => void,
): Promise<{ readonly positions: number; readonly qualities: readonly Quality[] } | null> {
  const { contextLength, vocabSize } = engines[0].config;
  const cut = texts.map((ids) => ids.slice(0, contextLength)).filter((ids) => ids.length > 1);
  const total = cut.reduce((sum, ids) => sum + ids.length - 1, 0);
  if (total === 0) return null;
  const sums = engines.map(() => ({ loss: 0, same: 0, divergence: 0 }));
  const caches = engines.map((engine) => engine.createCache(contextLength));
  let positions = 0;
  for (const ids of cut) {
    // The last token has no next one.
    for (let at = 0; at + 1 < ids.length; at += prefillChunk) {
      const chunk = ids.slice(at, Math.min(at + prefillChunk, ids.length - 1));
      const passes: Float32Array[] = [];
      for (const [i, engine] of engines.entries())
        passes.push(await engine.forward(caches[i], chunk, at, engine.target, 'all'));
      for (let row = 0; row < chunk.length; row++) {
        const rows = passes.map((logits) =>
          logits.subarray(row * vocabSize, (row + 1) * vocabSize),
        );
        for (const [i, logits] of rows.entries()) {
          const { loss, same, divergence } = compareRows(rows[0], logits, ids[at + row + 1]);
          sums[i].loss += loss;
          sums[i].same += same ? 1 : 0;
          sums[i].divergence += divergence;
        }
      }
      positions += chunk.length;
      onProgress(positions, total);
    }
  }
  return {
    positions,
    qualities: sums.map(({ loss, same, divergence }, i) => ({
      precision: engines[i].model.precision,
      perplexity: Math.exp(loss / positions),
      agreement: same / positions,
      divergence: divergence / positions,
    })),
  };
}

/** One position: -ln q(t), whether the most probable tokens are the same, and KL(p || q). */
export function compareRows(
  reference: Float32Array,
  logits: Float32Array,
  next: number,
): { loss: number; same: boolean; divergence: number } {
  const logP = logSum(reference);
  const logQ = logSum(logits);
  let divergence = 0;
  if (reference !== logits)
    for (let i = 0; i < logits.length; i++) {
      const p = reference[i] - logP;
      if (p > leastLogProbability) divergence += Math.exp(p) * (p - (logits[i] - logQ));
    }
  const same = argmax(reference, 0, reference.length) === argmax(logits, 0, logits.length);
  return { loss: logQ - logits[next], same, divergence };
}

/** ln of the sum of exponentials. */
function logSum(logits: Float32Array): number {
  const max = logits[argmax(logits, 0, logits.length)];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - max);
  return max + Math.log(sum);
}
