import { type Biases, projections } from '../model-config.js';

/** What every layer has a weight of. */
export const layerParts = ['attentionNorm', 'mlpNorm', ...projections] as const;
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
  readonly parts: Readonly<Record<LayerPart, string>>;
}

/** What fields of config.json say that only some families heed, or heed otherwise. */
export interface FamilyTraits {
  readonly biases: Biases;
  /** Of all layers; null for none. */
  readonly slidingWindow: number | null;
}

/** What the GGUF files of a family are like. */
export interface GgufForm {
  /** `general.architecture`, and the prefix of the metadata's keys. */
  readonly architecture: string;
  readonly names: TensorNames;
  /** Whether the converter makes the two rotated halves of each head of q and k alternate. */
  readonly interleaved: boolean;
}

/**
 * Models of one `model_type`: how their config.json is read and what their tensors are called. All families are of one kind,
 * that of src/graph: RMSNorm before attention and MLP, rotary positions, grouped queries, an MLP gated by SiLU.
 */
export interface Family {
  /** `model_type` of config.json; part of a model's hash. */
  readonly modelType: string;
  /** What the family's class in transformers takes for fields that config.json leaves out. */
  readonly absent: {
    readonly kvHeads: 'heads' | number;
    readonly bosTokenId: number | null;
    readonly eosTokenId: number | null;
  };
  /**
   * Reads its own fields of config.json; of a GGUF file, which has none of them, the biases are told by its tensors instead.
   * @param json an object of which the common fields are checked
   * @throws InputError for a field that cannot be used
   */
  traits(json: unknown, file: string): FamilyTraits;
  readonly names: TensorNames;
  /** null where llama.cpp writes the family as another. */
  readonly gguf: GgufForm | null;
}
