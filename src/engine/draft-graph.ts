import type { ModelConfig } from '../checkpoint/model-config.js';
import { matrixSizes } from '../graph/parameters.js';
import type { Precision } from '../graph/quantise.js';
import type { GraphTransform } from '../graph/transform.js';
import type { SkipMask } from '../profile/mask.js';

/**
 * The token of every column of a draft's logits, ascending; null where there is a column for each token of the vocabulary, so
 * that a column's number is the token's id.
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
}

/** What of a model a draft pass runs; this decides what it costs. */
export interface KeptParts {
  /** Attention and MLP sublayers that run, of L each. */
  readonly attention: number;
  readonly mlp: number;
  /** Columns of the head over the vocabulary's, up to 1. */
  readonly head: number;
  /** Weights that the model itself does not have. */
  readonly extraWeights: number;
}

/** The draft that skips sublayers and does nothing else. */
export function skipGraph(mask: SkipMask): DraftGraph {
  return {
    key: `skip ${mask.attention}|${mask.mlp}`,
    ...{ mask, transforms: [], headTokens: null },
  };
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
    key: `${graph.key}, ${transform.key}`,
    mask: graph.mask,
    transforms: [...graph.transforms, transform],
    headTokens,
  };
}

/** What a draft runs of a model. */
export function keptParts(
  { mask, transforms, headTokens }: DraftGraph,
  { layers, vocabSize }: ModelConfig,
): KeptParts {
  return {
    attention: layers - mask.attention.length,
    mlp: layers - mask.mlp.length,
    head: (headTokens?.length ?? vocabSize) / vocabSize,
    extraWeights: transforms.reduce((sum, { weights }) => sum + weights, 0),
  };
}

/**
 * Drafts whose weights are smaller run on one thread. Their products are so short that a second thread saves less than the
 * two sessions lose to each other, whose idle threads spin for a while after every pass.
 */
const oneThreadBytes = 48 * 2 ** 20;

const bytesPerWeight: Record<Precision, number> = { fp32: 4, int8: 1, int4: 0.5 };

/** How many of the target's threads the session of a draft gets. */
export function draftThreads(
  graph: DraftGraph,
  config: ModelConfig,
  precision: Precision,
  threads: number,
): number {
  const kept = keptParts(graph, config);
  const { attention, mlp, embedding } = matrixSizes(config);
  const weights =
    kept.attention * attention + kept.mlp * mlp + kept.head * embedding + kept.extraWeights;
  return weights * bytesPerWeight[precision] < oneThreadBytes ? 1 : threads;
}
