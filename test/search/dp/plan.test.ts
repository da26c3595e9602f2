import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '../../../src/decoding/sampling/options.js';
import type { Engine } from '../../../src/engine/engine.js';
import { bitsToMask } from '../../../src/profile/mask.js';
import { Random } from '../../../src/random.js';
import type { CostModel } from '../../../src/search/cost/cost-model.js';
import { hiddenStateChain, planMasks, sublayerWeights } from '../../../src/search/dp/plan.js';
import { makeReference, type Reference } from '../../../src/search/replay/reference.js';
import { loadEngine } from '../../helpers/engine.js';
import { logitDistance, randomTokens } from '../../helpers/logits.js';
import { writeMiniature } from '../../helpers/miniature.js';
import { readWeights } from '../../helpers/read-weights.js';
import { linear, rmsNorm } from '../../helpers/reference-math.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const directory = temporaryDirectory();
const { config } = writeMiniature(directory, { layers: 6, contextLength: 128, innerScale: 1e-2 });
const bits = 2 * config.layers;
let engine: Engine;
let references: Reference[];
beforeAll(async () => {
  engine = await loadEngine(directory, 'fp32', 1);
  references = [];
  for (const seed of [1, 2]) {
    const prompt = randomTokens(20 + 30 * seed, config.vocabSize, seed);
    const settings = { maxNewTokens: 21, sampling: GREEDY, coupling: 'gumbel' } as const;
    references.push((await makeReference(engine, prompt, settings, seed))!);
  }
});
afterAll(() => engine.close());

describe('hiddenStateChain', () => {
  it('ends, sublayer by sublayer, in the hidden state whose logits window replay has', async () => {
    const weights = readWeights(directory);
    const finalNorm = weights('model.norm.weight');
    const head = weights(config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight');
    const gated = await engine.loadGated();
    const sublayers = await engine.loadSublayers();
    const chain = await hiddenStateChain(sublayers, references, config.hiddenSize);
    const random = new Random(1);
    for (let trial = 0; trial < 5; trial++) {
      const mask = Uint8Array.from({ length: bits }, () => (trial > 0 ? random.integer(2) : 0));
      let state = chain.start;
      for (let i = 0; i < bits; i++) if (mask[i] === 0) state = await chain.run(i, state);
      if (trial === 0) expect(chain.similarity(state, bits)).toBeCloseTo(1, 6);
      for (const [r, { inputs }] of references.entries()) {
        const logits = await gated.replay(inputs, gated.gates(bitsToMask(mask)));
        const expected = Array.from({ length: inputs.count }, (_, row) => {
          const hidden = state[r]!.subarray(row * config.hiddenSize, (row + 1) * config.hiddenSize);
          return linear(head, rmsNorm(Float64Array.from(hidden), finalNorm, config.rmsNormEps));
        });
        expect(logitDistance(logits, expected).max).toBeLessThan(1e-4);
      }
    }
    await sublayers.close();
    await gated.close();
    const left = readdirSync(dirname(engine.model.path)).filter((name) => name.startsWith('draft'));
    expect(left).toEqual([]);
  });
});

describe('planMasks', () => {
  it('skips first what does next to nothing', async () => {
    const steps: number[] = [];
    const plans = await planMasks(engine, references, null, undefined, (done) => steps.push(done));
    expect(plans.map(({ weight }) => weight)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
    // All but the first and the last layer are scaled down to a hundredth.
    for (const { mask, weight, similarity } of plans.slice(0, 8)) {
      expect(mask.reduce((sum, bit) => sum + bit, 0)).toBe(weight);
      expect([mask[0], mask[1], mask[bits - 2], mask[bits - 1]]).toEqual([0, 0, 0, 0]);
      expect(similarity).toBeGreaterThan(0.99);
    }
    expect(plans[9]!.similarity).toBeLessThan(plans[7]!.similarity - 0.01);
    expect(steps.at(-1)).toBe(bits);
  });
});

describe('sublayerWeights', () => {
  const costs = (attention: number, mlp: number): CostModel => ({
    target: [0, 0, 1, 1],
    draft: [0.1, attention, mlp, 0, 0, 0, 0, 0],
    means: { alone: 1, verifying: 1, drafting: 1 },
  });
  it.each([
    [1, 1, [1, 1]],
    [1, 1.4, [2, 3]],
    [2.1, 1, [2, 1]],
    [1, 9, [1, 3]],
    [-0.1, 1, [1, 1]],
  ])('are small whole numbers in the ratio of the costs: %d to %d', (attention, mlp, expected) => {
    expect(sublayerWeights(2, costs(attention, mlp))).toEqual([...expected, ...expected]);
  });
  it('are equal without costs', () => {
    expect(sublayerWeights(1, null)).toEqual([1, 1]);
  });
});
