import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ModelConfig } from '../checkpoint/model-config.js';
import type { Initializers } from './builder.js';
import { type GraphProto, ModelProtoSchema } from './onnx_pb.js';

/** Changes a graph of a model in place. */
export type GraphChange = (graph: GraphProto, config: ModelConfig) => void;

/** A change of a draft's graph, after skipping. */
export interface GraphTransform {
  /** Names what it does: different for different changes. */
  readonly key: string;
  readonly change: GraphChange;
}

/** Adds initializers to a graph, those left out that it has by that name: a name stands for one value in all of sspec's graphs. */
export function addInitializers(graph: GraphProto, { list }: Initializers): void {
  const known = new Set(graph.initializer.map(({ name }) => name));
  graph.initializer.push(...list.filter(({ name }) => !known.has(name)));
}

/**
 * A graph with changes made to it in order, each on what the one before left.
 * @param bytes of the graph, as `buildModel` makes it.
 * @param config of the model that it is of.
 * @returns bytes of a graph over the same file of weights.
 */
export function transformGraph(
  bytes: Uint8Array,
  config: ModelConfig,
  changes: readonly GraphChange[],
): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  for (const change of changes) change(model.graph!, config);
  return toBinary(ModelProtoSchema, model);
}
