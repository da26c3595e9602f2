import type { ModelConfig } from '../../checkpoint/model-config.js';
import type { DraftGraph } from '../../engine/draft-graph.js';
import type { DraftShape } from './cost-model.js';

/** What of a draft matters to its cost. */
export function draftShape(
  { mask, headTokens, bridgeProducts }: DraftGraph,
  { layers, vocabSize }: ModelConfig,
): DraftShape {
  return {
    attention: 1 - mask.attention.length / layers,
    mlp: 1 - mask.mlp.length / layers,
    head: (headTokens?.length ?? vocabSize) / vocabSize,
    bridges: bridgeProducts / layers,
  };
}
