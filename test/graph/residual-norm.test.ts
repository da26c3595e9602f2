import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { type GraphProto, ModelProtoSchema } from '../../src/graph/onnx_pb.js';
import { fuseResidualNorms, noUpdate } from '../../src/graph/residual-norm.js';
import { specialise } from '../../src/graph/specialise.js';
import { loadMiniature } from '../helpers/engine.js';

function graphOf(path: string): GraphProto {
  return fromBinary(ModelProtoSchema, readFileSync(path)).graph!;
}

function additions(graph: GraphProto): number {
  return graph.node.filter(({ name }) => name.endsWith('sum:Add')).length;
}

it('makes one operator of additions and norms, over skipped sublayers too', async () => {
  const engine = await loadMiniature({ layers: 3, contextLength: 64 }, 'fp32', 1);
  const { path, plainPath } = engine.model;
  // Of the six additions the last one has no norm of its kind behind it: what is wanted of its rows comes first.
  expect(additions(graphOf(plainPath))).toBe(1);

  const draft = graphOf(path);
  specialise({ attention: [1], mlp: [0] })(draft, engine.config);
  expect(additions(draft)).toBe(4);
  fuseResidualNorms(draft);
  expect(additions(draft)).toBe(1);
  const alone = draft.node.filter(({ input }) => input[1] === noUpdate);
  expect(alone.map(({ name }) => name)).toEqual([expect.stringContaining('layer0.attention')]);
  await engine.close();
});
