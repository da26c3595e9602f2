import { z } from 'zod';
import { parseFields } from '../../json-file.js';
import type { Family } from './family.js';
import { huggingFaceNames, llamaCppNames } from './names.js';

const schema = z.object({
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

/** Llama 1 to 3, TinyLlama, SmolLM and others that say so. transformers' Llama ignores `sliding_window`. */
export const llama: Family = {
  modelType: 'llama',
  absent: { kvHeads: 'heads', bosTokenId: 1, eosTokenId: 2 },
  traits(json, file) {
    const { attention_bias: attention, mlp_bias: mlp } = parseFields(schema, json, file);
    return {
      biases: {
        ...{ q: attention, k: attention, v: attention, o: attention },
        ...{ gate: mlp, up: mlp, down: mlp },
      },
      slidingWindow: null,
    };
  },
  names: huggingFaceNames,
  gguf: { architecture: 'llama', names: llamaCppNames, interleaved: true },
};
