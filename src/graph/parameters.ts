import type { ModelConfig } from '../checkpoint/model-config.js';

/** Weights in the matrices of one attention and of one MLP sublayer, and of the embedding. */
export function matrixSizes(config: ModelConfig): {
  attention: number;
  mlp: number;
  embedding: number;
} {
  const { hiddenSize, headDim, heads, kvHeads, intermediateSize, vocabSize } = config;
  return {
    attention: hiddenSize * headDim * (2 * heads + 2 * kvHeads),
    mlp: 3 * hiddenSize * intermediateSize,
    embedding: vocabSize * hiddenSize,
  };
}

/** Weights in all matrices of a model; a head that is tied to the embedding counts once. */
export function parameterCount(config: ModelConfig): number {
  const { attention, mlp, embedding } = matrixSizes(config);
  return config.layers * (attention + mlp) + embedding * (config.tiedEmbeddings ? 1 : 2);
}
