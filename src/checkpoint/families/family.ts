import { type Biases, type LayerOptions, projections } from '../model-config.js';

/** What a layer has a weight of: norms as its options say, and every projection. */
export const layerParts = [
  ...(['attentionNorm', 'attentionOutNorm', 'qNorm', 'kNorm', 'mlpNorm', 'mlpOutNorm'] as const),
  ...projections,
] as const;
export type LayerPart = (typeof layerParts)[number];

/**
 * How a checkpoint names its tensors: each is a name here and `.weight`, its bias the same name and `.bias`.
 */
export interface TensorNames {
  readonly embedding: string;
  readonly finalNorm: string;
  readonly head: string;
  /** What goes before the name of a part of a layer; `*` stands for the layer's number, from 0. */
  readonly layer: string;
  /** Parts of one name are one tensor, their rows under each other in the order of `layerParts`. Norms that no model has are absent. */
  readonly parts: Readonly<Partial<Record<LayerPart, string>>>;
  /** Weights of norms are stored less 1. */
  readonly normsLessOne?: true;
  /** How names begin of tensors that text alone does not need. */
  readonly beside?: readonly string[];
}

/** What fields of config.json say that only some families heed, or heed otherwise; options that are absent are Llama's. */
export interface FamilyTraits extends Partial<LayerOptions> {
  readonly biases: Biases;
  /** Of all layers or `windowedLayers`; null for none. */
  readonly slidingWindow: number | null;
}

/** Sizes of a model, as numbers from outside that are not checked yet. */
export interface GgufSizes {
  readonly layers: number;
  readonly heads: number;
  readonly hiddenSize: number;
  readonly headDim: number;
}

/** What the GGUF files of a family are like. */
export interface GgufForm {
  /** `general.architecture`, and the prefix of the metadata's keys. */
  readonly architecture: string;
  readonly names: TensorNames;
  /** Whether the converter makes the two rotated halves of each head of q and k alternate. */
  readonly interleaved: boolean;
  /** Fields of config.json that the files do not have and llama.cpp knows by the model's size. */
  readonly implied?: (sizes: GgufSizes) => Readonly<Record<string, unknown>>;
}

/**
 * Models of one `model_type`: how their config.json is read and what their tensors are called. All families are of one kind,
 * that of src/graph: sublayers with RMSNorm, rotary positions, grouped queries, a gated MLP; see {@link LayerOptions}.
 */
export interface Family {
  /** `model_type` of config.json; part of a model's hash. */
  readonly modelType: string;
  /** Where config.json has the fields of the text model inside another's, and what is taken for those that it leaves out. */
  readonly textConfig?: {
    readonly field: string;
    readonly absent: Readonly<Record<string, unknown>>;
  };
  /** What the family's class in transformers takes for fields that config.json leaves out. */
  readonly absent: {
    readonly kvHeads: 'heads' | number;
    readonly bosTokenId: number | null;
    readonly eosTokenId: number | null;
    /** Default: hidden size / heads. */
    readonly headDim?: number;
    /** Default: false. */
    readonly tiedEmbeddings?: true;
    /** Default: 1e-6. */
    readonly rmsNormEps?: number;
    /** Default: 10000. */
    readonly ropeTheta?: number;
    /** Of the layers with a window; absent where all layers are rotated alike. */
    readonly windowedRopeTheta?: number;
  };
  /** What all models of the family have; options that are absent are Llama's or told by `traits`. */
  readonly layers: Partial<LayerOptions>;
  /** Whether config.json may ask for heads that are rotated in part. */
  readonly partialRotary?: true;
  /**
   * Reads its own fields of config.json, or what a GGUF file has in their place; there, the biases are told by its tensors instead.
   * @param json an object of which the common fields are checked
   * @throws InputError for a field that cannot be used
   */
  traits(json: unknown, file: string): FamilyTraits;
  readonly names: TensorNames;
  /** null where llama.cpp writes the family as another. */
  readonly gguf: GgufForm | null;
}
