/** How rotary frequencies are stretched for long contexts (`rope_scaling` of config.json). */
export type RopeScaling =
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalContextLength: number;
    };

/** The architecture of a decoder-only model, as read and checked from config.json. Sizes in elements. */
export interface ModelConfig {
  readonly modelType: 'llama' | 'mistral';
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  /** K/V heads; `heads` is a multiple of it (1 = multi-query, `heads` = multi-head). */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  /** Longest sequence in tokens, prompt and output together. */
  readonly contextLength: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
  /** Biases on q, k, v and o projections. */
  readonly attentionBias: boolean;
  /** Biases on gate, up and down projections. */
  readonly mlpBias: boolean;
  readonly tiedEmbeddings: boolean;
  /** Each position attends to the last `slidingWindow` positions, its own included; null = all. */
  readonly slidingWindow: number | null;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
}
