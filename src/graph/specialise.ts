import { maskToBits, type SkipMask } from '../profile/mask.js';
import { pastName, tailName } from './attention.js';
import { passOutputs } from './hidden-states.js';
import type { GraphProto, NodeProto } from './onnx_pb.js';
import type { GraphChange } from './transform.js';

/**
 * Builds one mask into the gated graph: the branches that run stand in the open, those that do not are gone, and with them
 * their inputs. Such a draft pays neither for gates (5 to 10 microseconds each) nor for keys and values that it does not
 * read. The graph that is left has the inputs of the layers whose attention runs, and no `run`; where a sublayer is skipped
 * stands an `Identity`. Hidden states are no outputs. The first change of every draft's graph: the others find no gates.
 */
export function specialise(mask: SkipMask): GraphChange {
  return (graph, { layers }) => skipSublayers(graph, mask, layers);
}

/** @param layers L, the number of layers of the model. */
function skipSublayers(graph: GraphProto, mask: SkipMask, layers: number): void {
  const skip = maskToBits(mask, layers);
  const unread = new Set(['run']);
  for (const layer of mask.attention) {
    for (const name of [pastName('k', layer), pastName('v', layer), tailName(layer)])
      unread.add(name);
  }
  graph.input = graph.input.filter(({ name }) => !unread.has(name));
  graph.output = graph.output.slice(0, passOutputs);

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
}
