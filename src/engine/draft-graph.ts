import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { bridgeTransform } from '../graph/bridge.js';
import type { CompiledModel } from '../graph/compile.js';
import { smallHead } from '../graph/small-head.js';
import type { GraphTransform } from '../graph/transform.js';
import type { Bridge, DraftPlan } from '../profile/draft-plan.js';
import type { SkipMask } from '../profile/mask.js';

/**
 * The token of every column of a draft's logits, ascending; null where there is a column for each token of the vocabulary, so
 * that a column's number is the token's id. A head that takes further words (engine/head-rows.ts) has columns for them behind these.
 */
export type HeadTokens = Int32Array | null;

/**
 * A draft as the engine knows it: what becomes of the gated graph. First the sublayers of `mask` go, then the transforms
 * change what is left (bridges over skipped spans, a smaller head).
 */
export interface DraftGraph {
  /** Equal for equal drafts of one model, and for no others. */
  readonly key: string;
  /** Sublayers that do not run. */
  readonly mask: SkipMask;
  /** Changes after skipping, in order. A gated session has the passes of a draft without any. */
  readonly transforms: readonly GraphTransform[];
  readonly headTokens: HeadTokens;
  /** Products of bridges among the transforms: one for each, and one more for a memory. */
  readonly bridgeProducts: number;
  /**
   * Sublayers behind bridges with memory, ascending: passes take the hidden state that the position before has there, and return
   * their own, behind the outputs of others.
   */
  readonly memories: readonly number[];
  /** Whether passes have columns for further words behind those, and must be given some, or none. */
  readonly takesWords: boolean;
}

/** The draft that skips sublayers and does nothing else. */
export function skipGraph(mask: SkipMask): DraftGraph {
  return {
    key: `skip ${mask.attention}|${mask.mlp}`,
    ...{ mask, transforms: [], headTokens: null, takesWords: false },
    ...{ bridgeProducts: 0, memories: [] },
  };
}

/** The draft of a plan, over a compiled model. */
export function planGraph(plan: DraftPlan, model: CompiledModel): DraftGraph {
  let graph = skipGraph(plan.mask);
  for (const bridge of plan.bridges)
    graph = transformed(graph, bridgeTransform(bridge, bridgeKey(bridge), model.precision));
  const memories = plan.bridges.filter(({ memory }) => memory).map(({ to }) => to);
  graph = { ...graph, bridgeProducts: plan.bridges.length + memories.length, memories };
  const { words } = plan;
  if (!words) return graph;
  const key = `words ${digest(words)}`;
  const change = smallHead(words, dirname(model.path));
  return { ...transformed(graph, { key, change }, words), takesWords: true };
}

/** Tells the maps of bridges apart; reckoned once for each, for it reads all of them. */
const bridgeKeys = new WeakMap<Bridge, string>();

function bridgeKey(bridge: Bridge): string {
  const { weight, memory, bias } = bridge;
  const known = bridgeKeys.get(bridge) ?? digest(weight, ...(memory ? [memory] : []), bias);
  bridgeKeys.set(bridge, known);
  return known;
}

function digest(...arrays: readonly (Float32Array | Int32Array)[]): string {
  const hash = createHash('sha1');
  for (const { buffer, byteOffset, byteLength } of arrays)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex');
}

/**
 * A draft with one more change.
 * @param headTokens where the change leaves other columns in the logits. Default: as before.
 */
export function transformed(
  graph: DraftGraph,
  transform: GraphTransform,
  headTokens: HeadTokens = graph.headTokens,
): DraftGraph {
  return {
    ...graph,
    key: `${graph.key}, ${transform.key}`,
    transforms: [...graph.transforms, transform],
    headTokens,
  };
}
