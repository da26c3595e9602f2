/**
 * Bridges in graphs: linear maps in place of runs of skipped sublayers.
 *
 * | symbol | shape  | meaning                                             |
 * |--------|--------|-----------------------------------------------------|
 * | d      |        | hidden size                                         |
 * | x      | [S, d] | hidden state before the run, which skipping passes on |
 * | W, w0  | [d, d], [d] | the map                                        |
 * | y      | [S, d] | x + rmsnorm(x) W + w0, the norm's weights all 1     |
 */
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Bridge } from '../profile/draft-plan.js';
import { elementType, Initializers, Nodes, valueInfo } from './builder.js';
import { addLinearValues } from './linear-values.js';
import type { GraphProto, NodeProto } from './onnx_pb.js';
import type { Precision } from './quantise.js';
import { compiledBridge } from './rotated-bridge.js';
import { addInitializers, type GraphChange, type GraphTransform } from './transform.js';

/** Inputs of a graph with {@link bridgeGates}. */
export const bridgeInputs = {
  /** bool [2 L], true where a bridge ends. */
  open: 'bridge',
  weight: (end: number) => `bridge_weight.${end}`,
  bias: (end: number) => `bridge_bias.${end}`,
} as const;

/** The name of the hidden state after a sublayer of the gated graph, and of drafts made of it. */
function stateName(sublayer: number): string {
  return `layer${sublayer >> 1}.${sublayer % 2 === 0 ? 'attention' : 'mlp'}.sum.gated`;
}

/**
 * Puts a gate after every sublayer of the gated graph, through which any bridge that ends there is fed as an input: so a search
 * tries thousands of masks with their bridges in one session. Inputs beside the gated graph's: {@link bridgeInputs}, weights
 * [d, d] and biases [1, d], or one for each query [S, d], of compiled bridges (rotated-bridge.ts) by last sublayer; where none
 * ends, empty ones will do.
 */
export const bridgeGates: GraphChange = (graph, config) => {
  const shared = new Initializers();
  const { layers } = config;
  const ends = Array.from({ length: 2 * layers }, (_, end) => end);
  const gates = new Nodes('bridge.');
  const open = gates.addMany('Split', 'split', [bridgeInputs.open], ends.map(String), {
    axis: { int: 0 },
    num_outputs: { int: ends.length },
  });
  graph.node.unshift(...gates.list);
  graph.input.push(valueInfo(bridgeInputs.open, elementType.bool, [ends.length]));
  for (const end of ends) {
    insertAfter(graph, stateName(end), (x, output) => {
      const over = new Nodes(`bridge.${end}.`);
      const normed = addUnitNorm(over, shared, config, x);
      const mapped = over.add('MatMul', 'mapped', [normed, bridgeInputs.weight(end)]);
      const moved = over.add('Add', 'moved', [mapped, bridgeInputs.bias(end)]);
      const sum = over.add('Add', 'sum', [x, moved]);
      const past = new Nodes(`no_bridge.${end}.`);
      const same = past.add('Identity', 'sum', [x]);
      const gate = new Nodes('');
      gate.addMany('If', `if.bridge.${end}`, [open[end]!], [output], {
        then_branch: { graph: over.branch([sum]) },
        else_branch: { graph: past.branch([same]) },
      });
      return gate.list;
    });
    graph.input.push(
      valueInfo(bridgeInputs.weight(end), elementType.float, [`in.${end}`, `out.${end}`]),
      valueInfo(bridgeInputs.bias(end), elementType.float, [`bias_rows.${end}`, `bias.${end}`]),
    );
  }
  addInitializers(graph, shared);
};

/**
 * Builds a bridge into a draft's graph. With int8 and int4 weights it has 8 bits: it is small, and stands for much.
 * @param key tells it from other bridges over the same run.
 */
export function bridgeTransform(bridge: Bridge, key: string, precision: Precision): GraphTransform {
  const { from, to } = bridge;
  return {
    key: `bridge ${from}-${to} ${key}`,
    weights: bridge.weight.length,
    change(graph, config) {
      const { weight, bias } = compiledBridge(bridge, { config, precision });
      const shared = new Initializers();
      insertAfter(graph, stateName(to - 1), (x, output) => {
        const nodes = new Nodes(`bridge.${to - 1}.`);
        const normed = addUnitNorm(nodes, shared, config, x);
        const moved = addLinearValues(nodes, shared, { weight, bias, precision }, normed, 'moved');
        return [...nodes.list, sumNode(x, moved, output)];
      });
      addInitializers(graph, shared);
    },
  };
}

function sumNode(x: string, moved: string, output: string): NodeProto {
  const nodes = new Nodes('');
  nodes.add('Add', output, [x, moved]);
  return nodes.list[0]!;
}

function addUnitNorm(nodes: Nodes, shared: Initializers, config: ModelConfig, x: string): string {
  const { hiddenSize, rmsNormEps } = config;
  const ones = new Float32Array(hiddenSize).fill(1);
  const weight = shared.inline('bridge.norm', elementType.float, [hiddenSize], ones);
  return nodes.add('SimplifiedLayerNormalization', 'normed', [x, weight], {
    axis: { int: -1 },
    epsilon: { float: rmsNormEps },
  });
}

/**
 * Puts nodes after the one that makes a value: they are given another name for what it makes, and make the value that the rest
 * of the graph reads.
 */
function insertAfter(
  graph: GraphProto,
  name: string,
  make: (made: string, output: string) => NodeProto[],
): void {
  const at = graph.node.findIndex(({ output }) => output.includes(name));
  const producer = graph.node[at];
  if (!producer) throw new TypeError(`the graph has no value ${name}`);
  const made = `${name}.unbridged`;
  producer.output = producer.output.map((output) => (output === name ? made : output));
  graph.node.splice(at + 1, 0, ...make(made, name));
}
