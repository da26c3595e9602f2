/**
 * Attention of a draft, whose passes are of one token. Nothing of a draft has to have the bits of another pass: no masked row, no
 * mask, no parts, no tail and no padding, a third fewer operators, of a few microseconds each, than attention.ts needs.
 *
 * symbol | shape      | meaning
 * -------|------------|---------------------------------------------------------------------
 * n      |            | positions that a layer looks back at: all, or those of its window
 * q      | [KV, G, D] | rotated queries
 * k, v   | [1, KV, D] | rotated key and value of the token
 * K, V   | [n, KV, D] | keys and values of the cache, as they lie there
 *
 * w = softmax((q K^T | q k^T) / sqrt(D)); result (w V of the first n columns) + (w v of the last one).
 */
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { SkipMask } from '../profile/mask.js';
import { attentionInputs, pastName, tailName } from './attention.js';
import { elementType, Initializers, Nodes, valueInfo } from './builder.js';
import { hasMixedWindows, readsWindowedBias } from './layer-kinds.js';
import type { GraphProto, NodeProto } from './onnx_pb.js';
import { addInitializers, type GraphChange } from './transform.js';

/** Inputs of a graph of {@link singleToken}, int64 [2] each: (n, 1). */
export const columnInputs = {
  all: attentionInputs.columns,
  windowed: 'windowed_column_counts',
} as const;

/**
 * Makes a draft's graph one of single tokens. The second change of its graph, after skipping.
 * @param mask what does not run.
 */
export function singleToken({ attention }: SkipMask): GraphChange {
  return (graph, config) => {
    const layers = Array.from({ length: config.layers }, (_, l) => l).filter(
      (l) => !attention.includes(l),
    );
    const shared = new Initializers();
    for (const layer of layers) narrowAttention(graph, shared, config, layer);
    addInitializers(graph, shared);
    const gone = new Set<string>([
      attentionInputs.bias,
      attentionInputs.windowedBias,
      attentionInputs.padding,
      attentionInputs.columns,
      ...layers.flatMap((layer) => [tailName(layer), pastName('k', layer), pastName('v', layer)]),
    ]);
    graph.input = graph.input.filter(({ name }) => !gone.has(name));
    const { all, windowed } = columnInputs;
    for (const name of hasMixedWindows(config) ? [all, windowed] : [all])
      graph.input.push(valueInfo(name, elementType.int64, [2]));
    const { kvHeads, headDim } = config;
    for (const layer of layers)
      for (const kind of ['k', 'v'] as const) {
        const rows = `positions.${layer}`;
        graph.input.push(
          valueInfo(pastName(kind, layer), elementType.float, [rows, kvHeads, headDim]),
        );
      }
  };
}

/** Labels of attention.ts whose nodes go. */
const needless = [
  'q_heads',
  'q_grouped',
  'k_parts',
  'scores_sum',
  'masked',
  'v_parts',
  'tail_values',
  'attended_heads',
  'attended_by_token',
];

function narrowAttention(
  graph: GraphProto,
  shared: Initializers,
  config: ModelConfig,
  layer: number,
): void {
  const scope = `layer${layer}.attention.`;
  const nodes = new Map<string, NodeProto>();
  for (const node of graph.node)
    if (node.name.startsWith(scope)) nodes.set(node.name.slice(scope.length).split(':')[0]!, node);
  const node = (label: string): NodeProto => {
    const found = nodes.get(label);
    if (!found) throw new TypeError(`the graph has no node ${scope}${label}`);
    return found;
  };
  const { heads: H, kvHeads: KV, headDim: D } = config;
  const [q, k, v] = node('split').output as [string, string, string];
  const shape = [KV, H / KV, D];
  node('q_rows').input = [q, shared.int64(`int64:${shape.join(',')}`, shape)];
  node('scores_new').input[1] = k;
  const columns = new Nodes(scope);
  const [past, own] = [node('scores_past'), node('scores_new')].map(({ output }) => output[0]!);
  const joined = node('scores');
  const summed = nodes.get('scores_sum') ?? joined;
  columns.add('Concat', 'scores', [past!, own!], { axis: { int: 2 } });
  replace(graph, joined, columns.list[0]!);
  // What caps them softly comes between.
  for (const reader of graph.node)
    reader.input = reader.input.map((name) =>
      name === summed.output[0]! ? joined.output[0]! : name,
    );
  node('weights').input[0] = node('masked').input[0]!;
  const split = new Nodes(scope);
  const { all, windowed } = columnInputs;
  split.addMany(
    'Split',
    'weights_split',
    [node('weights').output[0]!, readsWindowedBias(config, layer) ? windowed : all],
    ['weights_past', 'weights_tail'],
    { axis: { int: 2 } },
  );
  replace(graph, node('weights_split'), split.list[0]!);
  node('values_tail').input[1] = v;
  node('attended_flat').input[0] = node('attended').output[0]!;
  const gone = new Set(needless.map((label) => nodes.get(label)));
  graph.node = graph.node.filter((one) => !gone.has(one));
}

function replace(graph: GraphProto, old: NodeProto, by: NodeProto): void {
  graph.node[graph.node.indexOf(old)] = by;
}
