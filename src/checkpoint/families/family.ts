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

/** Fields of config.json that say what only some families heed. */
export interface FamilyFields {
  readonly attention_bias: boolean;
  readonly mlp_bias: boolean;
  readonly num_hidden_layers: number;
  /** Undefined where config.json says nothing, null where it says that there is none. */
  readonly sliding_window?: number | null | undefined;
  readonly use_sliding_window: boolean;
  readonly max_window_layers?: number | null | undefined;
  readonly layer_types?: readonly string[] | null | undefined;
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
  /** Which projections have a bias, as config.json has it. A GGUF file tells it by its tensors. */
  biases(fields: FamilyFields): Biases;
  /**
   * The window of all layers, null for none.
   * @param fail throws an InputError that begins with the file
   */
  slidingWindow(fields: FamilyFields, fail: (what: string) => never): number | null;
  readonly names: TensorNames;
  /** null where llama.cpp writes the family as another. */
  readonly gguf: GgufForm | null;
}
