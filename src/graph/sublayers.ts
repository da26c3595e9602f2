import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { elementType, valueInfo } from './builder.js';
import { embeddedState, stateOutput } from './hidden-states.js';
import { ModelProtoSchema, type NodeProto } from './onnx_pb.js';
import { noUpdate } from './residual-norm.js';

/** The hidden state that the graph of {@link sublayerGraph} reads. */
export const sublayerInput = 'hidden';

/**
 * The gated graph between embedding and final norm, for calibration: it takes the hidden state before its first sublayer and
 * returns the one after its last. With one gate open it is that sublayer alone, on whatever hidden state it is given.
 *
 * Inputs: those of the gated graph without `logit_rows`, and `hidden` [S, hidden].
 * Outputs, in this order: the embedding of `token_ids`, `embedded` [S, hidden]; the hidden state after the sublayers.
 * @param gated bytes of the gated graph, as `buildModel` makes it.
 */
export function sublayerGraph(gated: Uint8Array, hiddenSize: number): Uint8Array {
  const model = fromBinary(ModelProtoSchema, gated);
  const graph = model.graph!;
  const producer = (name: string) => graph.node.find(({ output }) => output.includes(name))!;
  const last = producer('wanted').input[0]!;
  // The first nodes of the graph, up to the one that has the result.
  const embedding = graph.node.slice(0, graph.node.indexOf(producer(embeddedState)) + 1);
  const sublayers = graph.node.filter(({ opType }) => opType === 'If');
  for (const node of allNodes(sublayers)) {
    node.input = node.input.map((name) => (name === embeddedState ? sublayerInput : name));
  }
  // Models without norms before their sublayers have no zeros for them.
  const zeros = graph.node.filter(({ output }) => output.includes(noUpdate));
  graph.node = [...embedding, ...zeros, producer('run.0'), ...sublayers];
  const read = new Set(allNodes(graph.node).flatMap(({ input }) => input));
  graph.initializer = graph.initializer.filter(({ name }) => read.has(name));
  graph.input = [
    ...graph.input.filter(({ name }) => name !== 'logit_rows'),
    valueInfo(sublayerInput, elementType.float, ['tokens', hiddenSize]),
  ];
  graph.output = [embeddedState, last].map((name) => stateOutput(name, hiddenSize));
  return toBinary(ModelProtoSchema, model);
}

/** Nodes and those in their branches. */
function allNodes(nodes: readonly NodeProto[]): NodeProto[] {
  return nodes.flatMap((node) => [
    node,
    ...node.attribute.flatMap(({ g }) => (g ? allNodes(g.node) : [])),
  ]);
}
