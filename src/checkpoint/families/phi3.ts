import { z } from 'zod';
import { parseFields } from '../../json-file.js';
import { noBiases } from '../model-config.js';
import type { Family } from './family.js';
import { windowSize } from './fields.js';
import { huggingFaceNames, llamaCppNames } from './names.js';

const schema = z.object({ sliding_window: windowSize });

/** Phi 3, 3.5 and 4 without experts: Llama with q, k and v in one tensor, and gate and up in another. */
export const phi3: Family = {
  modelType: 'phi3',
  absent: { kvHeads: 'heads', bosTokenId: 1, eosTokenId: 32000, rmsNormEps: 1e-5 },
  layers: {},
  partialRotary: true,
  traits: (json, file) => ({
    biases: noBiases,
    slidingWindow: parseFields(schema, json, file).sliding_window ?? null,
  }),
  names: {
    ...huggingFaceNames,
    parts: {
      ...huggingFaceNames.parts,
      ...{ q: 'self_attn.qkv_proj', k: 'self_attn.qkv_proj', v: 'self_attn.qkv_proj' },
      ...{ gate: 'mlp.gate_up_proj', up: 'mlp.gate_up_proj' },
    },
  },
  gguf: {
    architecture: 'phi3',
    names: {
      ...llamaCppNames,
      parts: {
        ...llamaCppNames.parts,
        ...{ q: 'attn_qkv', k: 'attn_qkv', v: 'attn_qkv', gate: 'ffn_up', up: 'ffn_up' },
      },
    },
    interleaved: false,
  },
};
