import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { maskToBits, type SkipMask } from '../profile/mask.js';
import { pastName, tailName } from './attention.js';
import { ModelProtoSchema, type NodeProto } from './onnx_pb.js';

/**
 * The gated graph with one mask built in: the branches that run stand in the open, those that do not are gone, and with them
 * their inputs. Such a draft pays neither for gates (5 to 10 microseconds each) nor for keys and values that it does not
 * read.
 * @param gated bytes of the gated graph, as `buildModel` makes it.
 * @param layers L, the number of layers of the model.
 * @returns a graph over the same file of weights, with the inputs of the layers whose attention runs, and without `run`.
 */
export function specialise(gated: Uint8Array, mask: SkipMask, layers: number): Uint8Array {
  const model = fromBinary(ModelProtoSchema, gated);
  const graph = model.graph!;
  const skip = maskToBits(mask, layers);
  const unread = new Set(['run']);
  for (const layer of mask.attention) {
    for (const kind of ['k', 'v'] as const) {
      unread.add(pastName(kind, layer));
      unread.add(tailName(kind, layer));
    }
  }
  graph.input = graph.input.filter(({ name }) => !unread.has(name));

  /** Keys and values that skipped sublayers would return, no rows each; a graph without attention returns those. */
  const empty = mask.attention.length === layers;
  const missing = new Set<string>();
  const nodes: NodeProto[] = [];
  for (const node of graph.node) {
    if (node.input[0] === 'run') continue;
    if (node.opType !== 'If') {
      nodes.push(node);
      continue;
    }
    const bit = Number(node.input[0]!.slice('run.'.length));
    const wanted = skip[bit] === 1 ? 'else_branch' : 'then_branch';
    const branch = node.attribute.find(({ name }) => name === wanted)!.g!;
    const outside = new Map(branch.output.map(({ name }, i) => [name, node.output[i]!]));
    for (const inner of branch.node) {
      inner.output = inner.output.map((name) => outside.get(name) ?? name);
      inner.input = inner.input.map((name) => outside.get(name) ?? name);
      if (inner.opType === 'Constant' && !empty) for (const name of inner.output) missing.add(name);
      else nodes.push(inner);
    }
  }
  for (const node of nodes) node.input = node.input.filter((name) => !missing.has(name));
  graph.node = nodes;
  return toBinary(ModelProtoSchema, model);
}
