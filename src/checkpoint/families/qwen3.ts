import type { Family } from './family.js';
import { flaggedBiases } from './fields.js';
import { huggingFaceNames, llamaCppNames } from './names.js';
import { qwenWindow } from './qwen2.js';

/** Qwen 3 without experts: Llama with norms of the heads of q and k. */
export const qwen3: Family = {
  modelType: 'qwen3',
  absent: { kvHeads: 32, bosTokenId: null, eosTokenId: null, headDim: 128 },
  layers: { qkNorm: 'head' },
  traits: (json, file) => ({
    biases: flaggedBiases(json, file, 'attention'),
    ...qwenWindow(json, file),
  }),
  names: huggingFaceNames,
  gguf: { architecture: 'qwen3', names: llamaCppNames, interleaved: false },
};
