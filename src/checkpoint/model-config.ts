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

/** The linear projections of a layer, in the order in which they run. */
export const projections = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const;
export type Projection = (typeof projections)[number];

/** Which projections have a bias, in every layer alike. */
export type Biases = Readonly<Record<Projection, boolean>>;

export const noBiases: Biases = {
  ...{ q: false, k: false, v: false, o: false },
  ...{ gate: false, up: false, down: false },
};

/** The architecture of a decoder-only model, as read and checked from a checkpoint's configuration. Sizes in elements. */
export interface ModelConfig {
  /** Its family (families/index.ts), by the name that transformers has for it. */
  readonly modelType: string;
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
  readonly biases: Biases;
  readonly tiedEmbeddings: boolean;
  /** Each position attends to the last `slidingWindow` positions, its own included; null = all. */
  readonly slidingWindow: number | null;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
}
