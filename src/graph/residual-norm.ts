import type { GraphProto, NodeProto } from './onnx_pb.js';

/** Name of the zeros that a norm adds where there is no residual addition before it, [S, hidden]. */
export const noUpdate = 'no_update';

/**
 * Makes one operator of every residual addition and the norm of its sum: two a layer fewer, a microsecond or two each. The bits
 * stay the same, as the operator is the one that every norm is anyway (of a hidden state and zeros). The last change of a
 * graph: until then a sublayer ends with an addition of its own, so that any of them can go.
 */
export function fuseResidualNorms(graph: GraphProto): void {
  const nodes = withoutIdentities(graph);
  const additions = new Map(
    nodes.filter(({ opType }) => opType === 'Add').map((node) => [node.output[0]!, node]),
  );
  const fused = new Set<NodeProto>();
  for (const node of nodes) {
    if (node.opType !== 'SkipSimplifiedLayerNormalization' || node.input[1] !== noUpdate) continue;
    const [sum, , weight] = node.input;
    const addition = additions.get(sum!);
    if (!addition || fused.has(addition)) continue;
    fused.add(addition);
    node.input = [...addition.input, weight!];
    // Between them the outputs that only training asks for.
    node.output = [node.output[0]!, '', '', sum!];
  }
  graph.node = nodes.filter((node) => !fused.has(node));
}

/** Skipped sublayers leave `Identity` behind, which would stand between an addition and its norm. */
function withoutIdentities(graph: GraphProto): NodeProto[] {
  const sources = new Map<string, string>();
  const nodes: NodeProto[] = [];
  for (const node of graph.node) {
    node.input = node.input.map((name) => sources.get(name) ?? name);
    if (node.opType === 'Identity') sources.set(node.output[0]!, node.input[0]!);
    else nodes.push(node);
  }
  return nodes;
}
