import { z } from 'zod';
import { parseFields } from '../../json-file.js';
import type { Family } from './family.js';
import { flaggedBiases, multiplier, softCap, windowedLayers, windowSize } from './fields.js';
import { embeddingScale } from './gemma.js';
import { llamaCppNames, sandwichNames } from './names.js';

const schema = z.object({
  query_pre_attn_scalar: multiplier.default(256),
  attn_logit_softcapping: softCap.default(50),
  final_logit_softcapping: softCap.default(30),
  sliding_window: windowSize.default(4096),
});

/** Gemma 2: Gemma with norms around sublayers, soft caps, and a window in every other layer, the first included. */
export const gemma2: Family = {
  modelType: 'gemma2',
  absent: { kvHeads: 4, bosTokenId: 2, eosTokenId: 1, headDim: 256, tiedEmbeddings: true },
  layers: { activation: 'gelu', norms: 'both' },
  traits(json, file) {
    const fields = parseFields(schema, json, file);
    return {
      biases: flaggedBiases(json, file, 'attention'),
      slidingWindow: fields.sliding_window ?? null,
      windowedLayers: windowedLayers(json, file, (layer) => layer % 2 === 0),
      embeddingScale: embeddingScale(json, file),
      attentionScale: fields.query_pre_attn_scalar ** -0.5,
      attentionSoftCap: fields.attn_logit_softcapping ?? null,
      logitSoftCap: fields.final_logit_softcapping ?? null,
    };
  },
  names: { ...sandwichNames, normsLessOne: true },
  gguf: {
    ...{ architecture: 'gemma2', names: llamaCppNames, interleaved: false },
    // Only the model of 27B, which has 46 layers, scales by the width of a head's share of the hidden state.
    implied: ({ layers, hiddenSize, heads, headDim }) => ({
      query_pre_attn_scalar: layers === 46 ? hiddenSize / heads : headDim,
    }),
  },
};
