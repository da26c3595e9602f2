import { z } from 'zod';
import { parseFields } from '../../json-file.js';
import type { Family } from './family.js';
import { flaggedBiases, multiplier } from './fields.js';
import { huggingFaceNames, llamaCppNames } from './names.js';

const schema = z.object({
  embedding_multiplier: multiplier.default(1),
  attention_multiplier: multiplier.default(1),
  residual_multiplier: multiplier.default(1),
  logits_scaling: multiplier.default(1),
});

/** Granite 3 without experts: Llama with multipliers. */
export const granite: Family = {
  modelType: 'granite',
  absent: { kvHeads: 'heads', bosTokenId: 1, eosTokenId: 2 },
  layers: {},
  traits(json, file) {
    const fields = parseFields(schema, json, file);
    return {
      biases: flaggedBiases(json, file, 'both'),
      slidingWindow: null,
      embeddingScale: fields.embedding_multiplier,
      attentionScale: fields.attention_multiplier,
      residualScale: fields.residual_multiplier,
      logitScale: 1 / fields.logits_scaling,
    };
  },
  names: huggingFaceNames,
  gguf: { architecture: 'granite', names: llamaCppNames, interleaved: true },
};
