/** How rotary frequencies are stretched for long contexts (`rope_scaling` of config.json). */
export type RopeScaling =
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalContextLength: number;
    }
  | {
      readonly type: 'yarn';
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Whether the ends of the range that is interpolated are whole numbers. */
      readonly truncate: boolean;
      /** Multiplies what is rotated. */
      readonly attentionFactor: number;
      readonly originalContextLength: number;
    }
  | {
      readonly type: 'factors';
      /** What each frequency is divided by. */
      readonly factors: readonly number[];
      /** Multiplies what is rotated. */
      readonly attentionFactor: number;
    };

/** Base and stretching of rotary frequencies. */
export interface Rope {
  readonly theta: number;
  readonly scaling: RopeScaling | null;
}

/** The linear projections of a layer, in the order in which they run. */
export const projections = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const;
export type Projection = (typeof projections)[number];

/** Which projections have a bias, in every layer alike. */
export type Biases = Readonly<Record<Projection, boolean>>;

export const noBiases: Biases = {
  ...{ q: false, k: false, v: false, o: false },
  ...{ gate: false, up: false, down: false },
};

/**
 * What the layers of some families do differently from Llama's. {@link llamaLayers} has the values that say nothing.
 * Norms are RMSNorm; a sublayer is x + f(x) in every one of them.
 */
export interface LayerOptions {
  /** Where a sublayer has its norm: f(norm(x)), norm(f(x)), or both. */
  readonly norms: 'before' | 'after' | 'both';
  /** Norms of queries and keys before they are rotated: of each head, or of all heads as one vector. */
  readonly qkNorm: 'none' | 'head' | 'width';
  /** Of the MLP's gate; `gelu` is the approximation by tanh. */
  readonly activation: 'silu' | 'gelu';
  /** Scores are multiplied by it; null = 1 / sqrt(headDim). */
  readonly attentionScale: number | null;
  /** c: scores s become c tanh(s / c). */
  readonly attentionSoftCap: number | null;
  /** The same for logits. */
  readonly logitSoftCap: number | null;
  /** Multiplies embeddings; what a sublayer adds; logits. */
  readonly embeddingScale: number;
  readonly residualScale: number;
  readonly logitScale: number;
  /** Layers that have the sliding window, ascending; null = all. */
  readonly windowedLayers: readonly number[] | null;
  /** The rotation of layers with a window, where it is another; null = the same. */
  readonly windowedRope: Rope | null;
  /** Layers whose queries and keys are not rotated, ascending. */
  readonly unrotatedLayers: readonly number[];
  /** Dimensions of a head that are rotated, the first ones; null = all. */
  readonly rotaryDim: number | null;
}

export const llamaLayers: LayerOptions = {
  ...{ norms: 'before', qkNorm: 'none', activation: 'silu' },
  ...{ attentionScale: null, attentionSoftCap: null, logitSoftCap: null },
  ...{ embeddingScale: 1, residualScale: 1, logitScale: 1 },
  ...{ windowedLayers: null, windowedRope: null, unrotatedLayers: [], rotaryDim: null },
};

/** The architecture of a decoder-only model, as read and checked from a checkpoint's configuration. Sizes in elements. */
export interface ModelConfig extends LayerOptions {
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
  /** Each position attends to the last `slidingWindow` positions, its own included, in `windowedLayers`; null = all. */
  readonly slidingWindow: number | null;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
}
