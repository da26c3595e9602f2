import { Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { createSession } from '../../src/engine/session.js';
import { elementType, Initializers, Nodes } from '../../src/graph/builder.js';
import { addMostProbable } from '../../src/graph/model.js';
import { matrixInput, productGraph } from '../../src/graph/product-graph.js';
import { precisions } from '../../src/graph/quantise.js';
import { demo, loadEngine, loadMiniature, mostProbableOf } from '../helpers/engine.js';
import { randomTokens } from '../helpers/logits.js';
import { uniforms } from '../helpers/random.js';

it.each(precisions)(
  'the most probable tokens are those of the logits, in %s',
  async (precision) => {
    const engine = await loadMiniature({ contextLength: 256, vocabSize: 300 }, precision);
    const tokens = randomTokens(200, 300, 4);
    const [one, other] = [engine.createCache(200), engine.createCache(200)];
    const chunks = [1, 2, 9, 64, 5, 100];
    for (let at = 0, c = 0; at < tokens.length; c++) {
      // Over the ends of segments, too.
      const chunk = tokens.slice(at, at + chunks[c % chunks.length]!);
      const logits = await engine.forward(one, chunk, at, engine.target, 'all');
      expect(await engine.mostProbable(other, chunk, at)).toEqual(mostProbableOf(logits, 300));
      at += chunk.length;
    }
    // What goes on from the cache has the same bits.
    expect(other.digest()).toBe(one.digest());
    await engine.close();
  },
);

it('of equals the lowest id is told, as by argmax', async () => {
  const nodes = new Nodes('');
  const ids = addMostProbable(nodes, 'logits');
  const told = nodes.add('Cast', 'told', [ids], { to: { int: elementType.float } });
  const input = [matrixInput('logits', 'rows', 'columns')];
  const graph = productGraph(nodes, new Initializers(), input, [told]);
  const session = await createSession(graph, 1, 'cpu');
  const random = uniforms(5);
  const [rows, columns] = [200, 90];
  // Few values, so that most rows have their largest one more than once.
  const few = [-Infinity, -2, -0, 0, 1e-30, 3];
  const logits = Float32Array.from({ length: rows * columns }, (_, i) => {
    const kinds = 1 + (Math.floor(i / columns) % few.length);
    return few[Math.floor(random() * kinds)]!;
  });
  const found = await session.run({ logits: new Tensor('float32', logits, [rows, columns]) });
  expect([...(found[told]!.data as Float32Array)]).toEqual([...mostProbableOf(logits, columns)]);
  await session.release();
});

it('keeps the hidden states that a cache watches', async () => {
  const engine = await loadEngine(demo, 'int8');
  const [one, other] = [engine.createCache(16), engine.createCache(16)];
  for (const cache of [one, other]) cache.watch([8]);
  const tokens = [5, 9, 2, 7];
  const logits = await engine.forward(one, tokens, 0, engine.target, 'all');
  const ids = await engine.mostProbable(other, tokens, 0);
  expect(ids).toEqual(mostProbableOf(logits, engine.config.vocabSize));
  const states = (cache: typeof one) => cache.statesBefore(8, 1, 4).data;
  expect(states(other)).toEqual(states(one));
  await engine.close();
});
