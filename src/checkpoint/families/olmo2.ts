import type { Family } from './family.js';
import { flaggedBiases } from './fields.js';
import { llamaCppNames, sandwichNames } from './names.js';

/** OLMo 2: norms after sublayers instead of before, and of q and k over all heads. */
export const olmo2: Family = {
  modelType: 'olmo2',
  absent: { kvHeads: 'heads', bosTokenId: null, eosTokenId: 50279, rmsNormEps: 1e-5 },
  layers: { norms: 'after', qkNorm: 'width' },
  traits: (json, file) => ({
    biases: flaggedBiases(json, file, 'attention'),
    slidingWindow: null,
  }),
  names: sandwichNames,
  gguf: { architecture: 'olmo2', names: llamaCppNames, interleaved: false },
};
