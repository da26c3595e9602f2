import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { skipGraph } from '../../src/engine/draft-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Gates } from '../../src/engine/gates.js';
import { loadEngine, loadMiniature } from '../helpers/engine.js';
import { logitDistance, randomTokens } from '../helpers/logits.js';
import type { MiniatureOptions } from '../helpers/miniature.js';

const families = join(import.meta.dirname, '../data/families');
const mask = { attention: [1], mlp: [0] };
/** Of the prompt: more than any window here. */
const before = 70;

/** Logits of passes of one token each, on keys and values of the full model before and of its own from there on. */
async function passes(plain: Engine, engine: Engine, gates: Gates): Promise<number[]> {
  const tokens = randomTokens(before + 6, plain.config.vocabSize, 3);
  const cache = plain.createCache(before + 8);
  await plain.prefill(cache, tokens.slice(0, before));
  const rows: number[] = [];
  for (let at = before; at < tokens.length; at++)
    rows.push(...(await engine.forward(cache, [tokens[at]!], at, gates, 'last')));
  return rows;
}

/** How far a draft's own session is from the gated graph, whose attention is the full model's. */
async function distance(plain: Engine): Promise<number> {
  const gated = await plain.loadGated();
  const draft = await plain.draft(skipGraph(mask));
  const expected = await passes(plain, gated, gated.gates(mask));
  const { max } = logitDistance(await passes(plain, draft.engine, draft.gates), [expected]);
  const full = await passes(plain, gated, gated.target);
  expect(logitDistance(full, [expected]).max).toBeGreaterThan(0.01);
  await draft.release();
  await gated.close();
  await plain.close();
  return max;
}

describe('attention of a single token', () => {
  const names = readdirSync(families, { withFileTypes: true }).filter((one) => one.isDirectory());
  it.each(names.map(({ name }) => name))('is that of the full model: %s', async (name) => {
    expect(await distance(await loadEngine(join(families, name), 'fp32', 1))).toBeLessThan(1e-4);
  });

  it.each<[string, MiniatureOptions]>([
    ['as many K/V heads as heads', { kvHeads: 4 }],
    ['one K/V head', { kvHeads: 1 }],
    ['heads in several parts', { headDim: 256, heads: 2 }],
    ['a window', { slidingWindow: 9 }],
    ['biases', { attentionBias: true }],
  ])('is that of the full model: %s', async (_, options) => {
    expect(await distance(await loadMiniature(options, 'fp32'))).toBeLessThan(1e-4);
  });

  it('runs where a window has the token alone', async () => {
    const plain = await loadMiniature({ slidingWindow: 1 }, 'fp32');
    const { engine, gates, release } = await plain.draft(skipGraph(mask));
    const logits = await passes(plain, engine, gates);
    expect(logits.every(Number.isFinite)).toBe(true);
    await release();
    await plain.close();
  });

  it('goes from token to token where a pass is of several', async () => {
    const plain = await loadMiniature({}, 'fp32');
    const tokens = randomTokens(12, plain.config.vocabSize, 1);
    const { engine, gates, release } = await plain.draft(skipGraph(mask));
    const cache = plain.createCache(16);
    await plain.prefill(cache, tokens.slice(0, 8));
    const all = await engine.forward(cache, tokens.slice(8), 8, gates, 'all');
    const single: number[] = [];
    for (const [i, token] of tokens.slice(8).entries())
      single.push(...(await engine.forward(cache, [token], 8 + i, gates, 'last')));
    expect(Array.from(all)).toEqual(single);
    await release();
    await plain.close();
  });
});
