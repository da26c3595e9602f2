import { z } from 'zod';
import { parseFields } from '../../json-file.js';
import type { Family } from './family.js';
import { flaggedBiases, multiplier, softCap, windowedLayers, windowSize } from './fields.js';
import { embeddingScale } from './gemma.js';
import { llamaCppNames, sandwichNames } from './names.js';

const schema = z.object({
  query_pre_attn_scalar: multiplier.default(256),
  attn_logit_softcapping: softCap,
  final_logit_softcapping: softCap,
  sliding_window: windowSize.default(4096),
  sliding_window_pattern: z.int().positive().default(6),
  use_bidirectional_attention: z
    .literal(false, 'attention to both sides makes embeddings, not text')
    .nullish(),
});

/** Gemma 3 for text: Gemma 2 with norms of q and k instead of soft caps, and a window and a rotation of its own in five layers of six. */
export const gemma3: Family = {
  modelType: 'gemma3_text',
  absent: {
    ...{ kvHeads: 4, bosTokenId: 2, eosTokenId: 1, headDim: 256, tiedEmbeddings: true },
    ...{ ropeTheta: 1e6, windowedRopeTheta: 1e4 },
  },
  layers: { activation: 'gelu', norms: 'both', qkNorm: 'head' },
  traits(json, file) {
    const fields = parseFields(schema, json, file);
    const { sliding_window_pattern: pattern } = fields;
    return {
      biases: flaggedBiases(json, file, 'attention'),
      slidingWindow: fields.sliding_window ?? null,
      windowedLayers: windowedLayers(json, file, (layer) => (layer + 1) % pattern !== 0),
      embeddingScale: embeddingScale(json, file),
      attentionScale: fields.query_pre_attn_scalar ** -0.5,
      attentionSoftCap: fields.attn_logit_softcapping ?? null,
      logitSoftCap: fields.final_logit_softcapping ?? null,
    };
  },
  names: { ...sandwichNames, normsLessOne: true },
  gguf: {
    ...{ architecture: 'gemma3', names: llamaCppNames, interleaved: false },
    // Only the model of 27B, which has 62 layers, scales by the width of a head's share of the hidden state.
    implied: ({ layers, hiddenSize, heads, headDim }) => ({
      query_pre_attn_scalar: layers === 62 ? hiddenSize / heads : headDim,
    }),
  },
};

const prefix = 'language_model.';

/** Gemma 3 for images and text, of which the text part is run. */
export const gemma3WithImages: Family = {
  ...gemma3,
  modelType: 'gemma3',
  textConfig: {
    field: 'text_config',
    absent: {
      ...{ hidden_size: 2304, intermediate_size: 9216, num_hidden_layers: 26, vocab_size: 262208 },
      ...{ num_attention_heads: 8, max_position_embeddings: 131072 },
    },
  },
  names: {
    ...gemma3.names,
    embedding: `${prefix}${gemma3.names.embedding}`,
    finalNorm: `${prefix}${gemma3.names.finalNorm}`,
    head: `${prefix}${gemma3.names.head}`,
    layer: `${prefix}${gemma3.names.layer}`,
    beside: ['vision_tower.', 'multi_modal_projector.'],
  },
  // llama.cpp writes the text part as a model for text, the rest into a file of its own.
  gguf: null,
};
