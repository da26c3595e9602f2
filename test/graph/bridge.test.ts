import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planGraph, skipGraph } from '../../src/engine/draft-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Bridge, DraftPlan } from '../../src/profile/draft-plan.js';
import { loadEngine } from '../helpers/engine.js';
import { logitDistance, randomMask, randomTokens, skippedSublayers } from '../helpers/logits.js';
import { writeMiniature } from '../helpers/miniature.js';
import { randomBridges, withoutMemory } from '../helpers/plans.js';
import { readWeights } from '../helpers/read-weights.js';
import { createReference } from '../helpers/reference.js';
import { temporaryDirectory } from '../helpers/temporary.js';

const layers = 4;
const [before, after] = [70, 6];
const { directory, config } = writeMiniature(temporaryDirectory(), { layers });
const tokens = randomTokens(before + after, config.vocabSize, 5);
const masks = [0, 1, 2, 3, 4].map((seed) => randomMask(layers, seed, 0.3 + 0.1 * seed));

let plain: Engine;
let gated: Engine;
beforeAll(async () => {
  plain = await loadEngine(directory, 'fp32', 1);
  gated = await plain.loadGated();
});
afterAll(async () => {
  await plain.close();
  await gated.close();
});

/** Logits of the last tokens, one pass each, by the draft's own session. */
async function ownLogits(engine: Engine, plan: DraftPlan): Promise<Float32Array[]> {
  const graph = planGraph(plan, engine.model);
  const { engine: own, gates, release } = await engine.draft(graph);
  return passes(own, gates, graph.memories).finally(release);
}

/** The same by float64, whose memory of the last token before is the full model's. */
function referenceLogits({ mask, bridges }: DraftPlan): Float64Array[] {
  const reference = createReference(config, readWeights(directory));
  const skipped = { ...skippedSublayers(mask, layers), bridges };
  for (const token of tokens.slice(0, before)) reference.step(token);
  return tokens.slice(before).map((token) => reference.step(token, skipped));
}

/** The same by the gated graph. */
function gatedLogits(plan: DraftPlan): Promise<Float32Array[]> {
  return passes(gated, gated.gates(plan.mask, plan.bridges));
}

async function passes(
  engine: Engine,
  gates: Engine['target'],
  memories: readonly number[] = [],
): Promise<Float32Array[]> {
  const cache = plain.createCache(128);
  cache.watch(memories);
  await plain.prefill(cache, tokens.slice(0, before));
  const rows: Float32Array[] = [];
  for (let at = before; at < tokens.length; at++)
    rows.push(await engine.forward(cache, [tokens[at]!], at, gates, 'last'));
  return rows;
}

const planOf = (mask: DraftPlan['mask'], bridges: readonly Bridge[]): DraftPlan => ({
  ...{ mask, bridges, words: null },
});
const distance = (a: readonly Float32Array[], b: readonly ArrayLike<number>[]) =>
  logitDistance(
    a.flatMap((row) => Array.from(row)),
    b,
  ).max;

describe('bridges', () => {
  it('are in a draft of its own what they are in the gated graph and in float64', async () => {
    for (const [seed, mask] of masks.entries()) {
      const bridges = randomBridges(mask, config, seed);
      const plan = planOf(mask, bridges);
      const own = await ownLogits(plain, plan);
      expect(distance(own, await gatedLogits(plan))).toBeLessThan(1e-5);

      expect(distance(own, referenceLogits(plan))).toBeLessThan(1e-4);
      // They are not nothing.
      const without = await gatedLogits(planOf(mask, []));
      if (bridges.length > 0) expect(distance(own, without)).toBeGreaterThan(0.1);
    }
  });

  it('see with a memory what the position before had, first of the full model, then of the draft', async () => {
    for (const [seed, mask] of masks.entries()) {
      const bridges = randomBridges(mask, config, seed, 1, true);
      const own = await ownLogits(plain, planOf(mask, bridges));
      expect(distance(own, referenceLogits(planOf(mask, bridges)))).toBeLessThan(1e-4);
      const without = bridges.map(withoutMemory);
      if (bridges.length > 0)
        expect(distance(own, await ownLogits(plain, planOf(mask, without)))).toBeGreaterThan(0.1);
    }
  });

  it('over some runs leave the others as they are', async () => {
    const mask = { attention: [1, 3], mlp: [1] };
    const [first, second] = randomBridges(mask, config, 3);
    for (const bridges of [[first!], [second!]]) {
      const plan = planOf(mask, bridges);
      expect(distance(await ownLogits(plain, plan), await gatedLogits(plan))).toBeLessThan(1e-5);
    }
  });

  it('of zeros change nothing, to the bit', async () => {
    for (const [seed, mask] of masks.entries()) {
      const zeros = randomBridges(mask, config, seed).map((bridge) => ({
        ...bridge,
        weight: new Float32Array(bridge.weight.length),
        bias: new Float32Array(bridge.bias.length),
      }));
      const skipping = await passes(gated, gated.gates(mask));
      expect(await gatedLogits(planOf(mask, zeros))).toEqual(skipping);
      expect(distance(await ownLogits(plain, planOf(mask, zeros)), skipping)).toBeLessThan(1e-5);
    }
  });

  it('of 8 bits are close to those of 32', async () => {
    const int8 = await loadEngine(directory, 'int8', 1);
    const wide = await int8.loadGatedDrafts();
    try {
      for (const [seed, mask] of masks.entries()) {
        const plan = planOf(mask, randomBridges(mask, config, seed));
        const gates = wide.gates(mask, plan.bridges);
        const own = (await ownLogits(int8, plan)).flatMap((row) => Array.from(row));
        const { rms } = logitDistance(own, await passes(wide, gates));
        expect(rms).toBeLessThan(0.08);
        // The same plan at fp32, whose hidden states are not rotated: a bridge is between the checkpoint's own.
        const exact = (await ownLogits(plain, plan)).map((row) => Array.from(row));
        expect(logitDistance(own, exact).rms).toBeLessThan(0.5);
      }
    } finally {
      await wide.close();
      await int8.close();
    }
  });

  it('tell drafts apart, by mask, run and map', () => {
    const mask = { attention: [1], mlp: [1] };
    const keyOf = (bridges: readonly Bridge[]) => planGraph(planOf(mask, bridges), plain.model).key;
    const [bridge] = randomBridges(mask, config, 1) as [Bridge];
    const weight = bridge.weight.slice();
    expect(keyOf([{ ...bridge, weight }])).toBe(keyOf([bridge]));
    weight[7]!++;
    const memory = bridge.weight;
    const keys = [
      skipGraph(mask).key,
      ...[
        [bridge],
        [{ ...bridge, weight: weight.slice() }],
        [{ ...bridge, to: bridge.to - 1 }],
        [{ ...bridge, memory }],
      ].map(keyOf),
    ];
    expect(new Set(keys).size).toBe(5);
  });
});
