import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { skipGraph } from '../../src/engine/draft-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import { writeDraft } from '../../src/engine/write-graph.js';
import { type GraphProto, ModelProtoSchema } from '../../src/graph/onnx_pb.js';
import { loadEngine } from '../helpers/engine.js';
import { logitDistance, randomTokens } from '../helpers/logits.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';

const mask = { attention: [1], mlp: [0, 2] };
const { directory } = writeMiniature(temporaryDirectory(), {
  ...{ layers: 4, attentionBias: true, mlpBias: true },
  // Widths that blocks do not divide.
  ...{ heads: 3, kvHeads: 1, headDim: 16, intermediateSize: 72 },
});
let plain: Engine;
beforeAll(async () => {
  plain = await loadEngine(directory, 'int8', 1);
});
afterAll(() => plain.close());

/** Logits of a few tokens, one pass each, after a prompt. */
async function logitsOf(engine: Engine, gates: Engine['target']): Promise<number[]> {
  const tokens = randomTokens(30, plain.config.vocabSize, 2);
  const cache = plain.createCache(32);
  await plain.prefill(cache, tokens.slice(0, 24));
  const rows: number[] = [];
  for (let at = 24; at < tokens.length; at++)
    rows.push(...(await engine.forward(cache, [tokens[at]!], at, gates, 'last')));
  return rows;
}

/** Bits of the products with layers' weights. */
function bitsOf({ node }: GraphProto): (bigint | string)[] {
  return node
    .filter(({ input }) => input.some((name) => /^layer\d+\.(qkv|o|gate_up|down)/.test(name)))
    .map(({ opType, attribute }) => attribute.find(({ name }) => name === 'bits')?.i ?? opType);
}

it('every product of a draft has them, and no rounding is left over', () => {
  const graph = fromBinary(ModelProtoSchema, readFileSync(writeDraft(plain.model, skipGraph(mask))))
    .graph!;
  expect(bitsOf(graph)).toEqual(new Array(2 * (3 + 2)).fill(4n));
  const read = new Set(graph.node.flatMap(({ input }) => input));
  for (const { output } of graph.node.filter(({ opType }) => opType === 'QuantizeLinear'))
    expect(read.has(output[0]!)).toBe(true);
});

it('a search has them within its gates, and a draft of its own says the same', async () => {
  const full = await plain.loadGated();
  const drafts = await plain.loadGatedDrafts();
  const own = await plain.draft(skipGraph(mask));
  try {
    const expected = await logitsOf(drafts, drafts.gates(mask));
    // Roundings of activations that lie between two steps fall either way.
    const near = logitDistance(await logitsOf(own.engine, own.gates), [expected]).rms;
    expect(near).toBeLessThan(0.03);
    // The weights are others, though not very different ones.
    const wide = logitDistance(await logitsOf(full, full.gates(mask)), [expected]).rms;
    expect(wide).toBeGreaterThan(2 * near);
    expect(wide).toBeLessThan(0.5);
  } finally {
    await own.release();
    await drafts.close();
    await full.close();
  }
});

it('models of other precisions have none', async () => {
  for (const precision of ['fp32', 'int4'] as const) {
    const engine = await loadEngine(directory, precision, 1);
    const [gated, drafts] = [await engine.loadGated(), await engine.loadGatedDrafts()];
    expect(await logitsOf(drafts, drafts.gates(mask))).toEqual(
      await logitsOf(gated, gated.gates(mask)),
    );
    await drafts.close();
    await gated.close();
    await engine.close();
  }
});
