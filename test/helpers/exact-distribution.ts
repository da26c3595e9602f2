import type { SamplingOptions } from '../../src/decoding/sampling/options.js';
import type { Engine } from '../../src/engine/engine.js';

/** Logits [vocabulary] after the prompt and a continuation, by the continuation's {@link keyOf}. */
export type LogitTree = ReadonlyMap<string, Float32Array>;

export const keyOf = (tokens: readonly number[]) => tokens.join(' ');

/** The target's logits after the prompt followed by every possible continuation of fewer than `depth` tokens. */
export async function enumerateLogits(
  engine: Engine,
  prompt: readonly number[],
  depth: number,
): Promise<LogitTree> {
  const tree = new Map<string, Float32Array>();
  const cache = engine.createCache(prompt.length + depth);
  const visit = async (continuation: number[], logits: Float32Array): Promise<void> => {
    tree.set(keyOf(continuation), logits);
    if (continuation.length + 1 === depth) return;
    const position = prompt.length + continuation.length;
    for (let token = 0; token < engine.config.vocabSize; token++) {
      const next = await engine.forward(cache, [token], position, engine.target, 'last');
      await visit([...continuation, token], next);
    }
  };
  await visit([], await engine.prefill(cache, prompt));
  return tree;
}

/** What temperature, top-k, top-p and min-p, in this order, make of logits: probabilities [vocabulary], by definition. */
export function filteredProbabilities(
  logits: Float32Array,
  { temperature, topK, topP, minP }: SamplingOptions,
): Float64Array {
  const largest = Math.max(...logits);
  let kept = Array.from(logits, (logit, id) => ({
    id,
    p: Math.exp((logit - largest) / temperature),
  })).sort((a, b) => b.p - a.p || a.id - b.id);
  const normalise = () => {
    const sum = kept.reduce((total, { p }) => total + p, 0);
    kept = kept.map(({ id, p }) => ({ id, p: p / sum }));
  };
  if (topK > 0) kept = kept.slice(0, topK);
  normalise();
  let mass = 0;
  kept = kept.filter(({ p }) => {
    const before = mass;
    mass += p;
    return before < topP;
  });
  normalise();
  const most = kept[0]!.p;
  kept = kept.filter(({ p }) => p >= minP * most);
  normalise();
  const probabilities = new Float64Array(logits.length);
  for (const { id, p } of kept) probabilities[id] = p;
  return probabilities;
}

/** The probability of every continuation of `depth` tokens that has one. */
export function jointDistribution(
  tree: LogitTree,
  sampling: SamplingOptions,
  depth: number,
): Map<string, number> {
  const joint = new Map<string, number>();
  const visit = (continuation: number[], probability: number): void => {
    if (continuation.length === depth) {
      joint.set(keyOf(continuation), probability);
      return;
    }
    const next = filteredProbabilities(tree.get(keyOf(continuation))!, sampling);
    for (const [token, p] of next.entries()) {
      if (p > 0) visit([...continuation, token], probability * p);
    }
  };
  visit([], 1);
  return joint;
}

/**
 * Counts and probabilities of cells for a chi-square test: continuations that differ only late stand next to each other
 * and are put together until a cell is expected 5 times. What cannot occur is counted in a first cell of probability 0.
 */
export function cells(
  joint: ReadonlyMap<string, number>,
  observed: ReadonlyMap<string, number>,
): { counts: number[]; probabilities: number[] } {
  const draws = [...observed.values()].reduce((sum, count) => sum + count, 0);
  const counts = [0];
  const probabilities = [0];
  for (const [key, count] of observed) if (!joint.has(key)) counts[0]! += count;
  let count = 0;
  let probability = 0;
  for (const [key, p] of joint) {
    count += observed.get(key) ?? 0;
    probability += p;
    if (draws * probability < 5) continue;
    counts.push(count);
    probabilities.push(probability);
    count = 0;
    probability = 0;
  }
  counts[counts.length - 1]! += count;
  probabilities[probabilities.length - 1]! += probability;
  return { counts, probabilities };
}
