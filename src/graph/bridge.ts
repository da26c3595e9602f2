/**
 * Bridges in graphs: linear maps in place of runs of skipped sublayers.
 *
 * | symbol | shape  | meaning                                                                     |
 * |--------|--------|-----------------------------------------------------------------------------|
 * | d      |        | hidden size                                                                 |
 * | x      | [S, d] | hidden state before the run, which skipping passes on                       |
 * | m      | [S, d] | the state after the run, of the position before each; zeros before the first |
 * | W, U   | [d, d] | the maps; a bridge without memory has no U                                  |
 * | w0     | [d]    |                                                                             |
 * | y      | [S, d] | x + rmsnorm(x) W + rmsnorm(m) U + w0, the norms' weights all 1              |
 */
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Bridge } from '../profile/draft-plan.js';
import { elementType, Initializers, Nodes, valueInfo } from './builder.js';
import { stateAfter, stateOutput } from './hidden-states.js';
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
  /** rmsnorm(m), not m. */
  memory: (end: number) => `bridge_memory.${end}`,
  memoryWeight: (end: number) => `bridge_memory_weight.${end}`,
} as const;

/** The input of a draft's graph that has m of a bridge. */
export function memoryInput(to: number): string {
  return `memory.${to}`;
}

/**
 * Puts a gate after every sublayer of the gated graph, through which any bridge that ends there is fed as an input: so a search
 * tries thousands of masks with their bridges in one session. Inputs beside the gated graph's: {@link bridgeInputs} of compiled
 * bridges (rotated-bridge.ts) by last sublayer, weights [d, d], biases [1, d] or one for each query [S, d], memories [S, d] with their weights [d, d], or [1, 0]
 * with [0, d] for bridges without; where none ends, empty ones will do.
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
    insertAfter(graph, stateAfter(end), (x, output) => {
      const over = new Nodes(`bridge.${end}.`);
      const normed = addUnitNorm(over, shared, config, x, 'normed');
      const mapped = over.add('MatMul', 'mapped', [normed, bridgeInputs.weight(end)]);
      const { memory, memoryWeight, bias } = bridgeInputs;
      const remembered = over.add('MatMul', 'remembered', [memory(end), memoryWeight(end)]);
      const shifted = over.add('Add', 'shifted', [mapped, bias(end)]);
      const moved = over.add('Add', 'moved', [shifted, remembered]);
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
      valueInfo(bridgeInputs.memory(end), elementType.float, [`memories.${end}`, `memory.${end}`]),
      valueInfo(bridgeInputs.memoryWeight(end), elementType.float, [`memory.${end}`, `out.${end}`]),
    );
  }
  addInitializers(graph, shared);
};

/**
 * Builds a bridge into a draft's graph. With int8 and int4 weights it has 8 bits: it is small, and stands for much. A bridge with
 * memory adds the input {@link memoryInput}, m, and the output y, behind those that are there.
 * @param key tells it from other bridges over the same run.
 */
export function bridgeTransform(bridge: Bridge, key: string, precision: Precision): GraphTransform {
  const { from, to } = bridge;
  return {
    key: `bridge ${from}-${to} ${key}`,
    change(graph, config) {
      const { weight, memory, bias } = compiledBridge(bridge, { config, precision });
      const { hiddenSize } = config;
      const end = stateAfter(to - 1);
      const shared = new Initializers();
      insertAfter(graph, end, (x, output) => {
        const nodes = new Nodes(`bridge.${to - 1}.`);
        const parts = [addUnitNorm(nodes, shared, config, x, 'normed')];
        if (memory) parts.push(addUnitNorm(nodes, shared, config, memoryInput(to), 'remembered'));
        const features = memory
          ? nodes.add('Concat', 'features', parts, { axis: { int: 1 } })
          : parts[0]!;
        const map = { weight: memory ? stacked(weight, memory) : weight, bias, precision };
        const moved = addLinearValues(nodes, shared, map, features, 'moved');
        return [...nodes.list, sumNode(x, moved, output)];
      });
      if (memory) {
        graph.input.push(stateOutput(memoryInput(to), hiddenSize));
        graph.output.push(stateOutput(end, hiddenSize));
      }
      addInitializers(graph, shared);
    },
  };
}

function sumNode(x: string, moved: string, output: string): NodeProto {
  const nodes = new Nodes('');
  nodes.add('Add', output, [x, moved]);
  return nodes.list[0]!;
}

function stacked(weight: Float32Array, memory: Float32Array): Float32Array {
  const both = new Float32Array(weight.length + memory.length);
  both.set(weight);
  both.set(memory, weight.length);
  return both;
}

/** Adds an RMSNorm whose weights are all 1. */
export function addUnitNorm(
  nodes: Nodes,
  shared: Initializers,
  config: ModelConfig,
  x: string,
  label: string,
): string {
  const { hiddenSize, rmsNormEps } = config;
  const ones = new Float32Array(hiddenSize).fill(1);
  const weight = shared.inline('bridge.norm', elementType.float, [hiddenSize], ones);
  return nodes.add('SimplifiedLayerNormalization', label, [x, weight], {
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
