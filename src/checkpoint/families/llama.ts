import type { Family } from './family.js';
import { flaggedBiases } from './fields.js';
import { huggingFaceNames, llamaCppNames } from './names.js';

/** Llama 1 to 3, TinyLlama, SmolLM and others that say so. transformers' Llama ignores `sliding_window`. */
export const llama: Family = {
  modelType: 'llama',
  absent: { kvHeads: 'heads', bosTokenId: 1, eosTokenId: 2 },
  layers: {},
  traits: (json, file) => ({ biases: flaggedBiases(json, file, 'both'), slidingWindow: null }),
  names: huggingFaceNames,
  gguf: { architecture: 'llama', names: llamaCppNames, interleaved: true },
};
