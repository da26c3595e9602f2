import { InputError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import { weightType } from './weight-type.js';

/** Tensor names of a linear projection y = W x + b; the weight is [outputs, inputs], the bias [outputs] or absent. */
export interface LinearTensors {
  readonly weight: string;
  readonly bias: string | null;
}

/** Tensor names of one decoder layer. H = hidden size, F = intermediate size, D = head dim. */
export interface LayerTensors {
  /** RMSNorm before attention, [H]. */
  readonly attentionNorm: string;
  /** [heads * D, H] */
  readonly q: LinearTensors;
  /** [kvHeads * D, H] */
  readonly k: LinearTensors;
  /** [kvHeads * D, H] */
  readonly v: LinearTensors;
  /** [H, heads * D] */
  readonly o: LinearTensors;
  /** RMSNorm before the MLP, [H]. */
  readonly mlpNorm: string;
  /** [F, H] */
  readonly gate: LinearTensors;
  /** [F, H] */
  readonly up: LinearTensors;
  /** [H, F] */
  readonly down: LinearTensors;
}

/** Names of all tensors a Llama or Mistral model is made of; each is stored, with the right shape and a float dtype. */
export interface LlamaTensors {
  /** [vocabulary, H] */
  readonly embedding: string;
  readonly layers: readonly LayerTensors[];
  /** RMSNorm before the head, [H]. */
  readonly finalNorm: string;
  /** [vocabulary, H]; the same name as `embedding` when the two are tied. */
  readonly head: string;
}

/**
 * Finds the tensors of the architecture in a checkpoint. Tied weights may be stored as `model.embed_tokens.weight` or as
 * `lm_head.weight`; when both are there, the first counts, as in transformers.
 * @throws InputError naming a tensor that is missing, or its expected and found shape
 */
export function llamaTensors(checkpoint: Checkpoint): LlamaTensors {
  const { config, tensors, directory } = checkpoint;
  const { hiddenSize, intermediateSize, headDim, vocabSize, attentionBias, mlpBias } = config;

  const need = (name: string, shape: readonly number[]): string => {
    const found = tensors.get(name);
    if (found === undefined)
      throw new InputError(
        `${directory}: tensor "${name}" of shape [${shape}] is missing; the checkpoint does not fit its config.json.`,
      );
    if (String(found.shape) !== String(shape))
      throw new InputError(
        `${found.file}: tensor "${name}" has shape [${found.shape}], but config.json asks for [${shape}].`,
      );
    weightType(found);
    return name;
  };
  const linear = (
    name: string,
    outputs: number,
    inputs: number,
    hasBias: boolean,
  ): LinearTensors => ({
    weight: need(`${name}.weight`, [outputs, inputs]),
    bias: hasBias ? need(`${name}.bias`, [outputs]) : null,
  });
  const layer = (index: number): LayerTensors => {
    const prefix = `model.layers.${index}`;
    const attention = (name: string, outputs: number, inputs: number) =>
      linear(`${prefix}.self_attn.${name}_proj`, outputs, inputs, attentionBias);
    const mlp = (name: string, outputs: number, inputs: number) =>
      linear(`${prefix}.mlp.${name}_proj`, outputs, inputs, mlpBias);
    const queryWidth = config.heads * headDim;
    const keyWidth = config.kvHeads * headDim;
    return {
      attentionNorm: need(`${prefix}.input_layernorm.weight`, [hiddenSize]),
      q: attention('q', queryWidth, hiddenSize),
      k: attention('k', keyWidth, hiddenSize),
      v: attention('v', keyWidth, hiddenSize),
      o: attention('o', hiddenSize, queryWidth),
      mlpNorm: need(`${prefix}.post_attention_layernorm.weight`, [hiddenSize]),
      gate: mlp('gate', intermediateSize, hiddenSize),
      up: mlp('up', intermediateSize, hiddenSize),
      down: mlp('down', hiddenSize, intermediateSize),
    };
  };

  const storedHead = 'lm_head.weight';
  const storedEmbedding = 'model.embed_tokens.weight';
  const onlyHead =
    config.tiedEmbeddings && !tensors.has(storedEmbedding) && tensors.has(storedHead);
  const embedding = need(onlyHead ? storedHead : storedEmbedding, [vocabSize, hiddenSize]);
  if (!config.tiedEmbeddings && !tensors.has(storedHead))
    throw new InputError(
      `${directory}: tensor "${storedHead}" of shape [${vocabSize},${hiddenSize}] is missing though config.json does not set tie_word_embeddings; set it to true if head and embedding are one.`,
    );
  return {
    embedding,
    layers: Array.from({ length: config.layers }, (_, index) => layer(index)),
    finalNorm: need('model.norm.weight', [hiddenSize]),
    head: config.tiedEmbeddings ? embedding : need(storedHead, [vocabSize, hiddenSize]),
  };
}
