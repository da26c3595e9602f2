import { noBiases } from '../model-config.js';
import type { Family } from './family.js';
import { huggingFaceNames } from './names.js';

const ABSENT_WINDOW = 4096;

/** Mistral 7B and its kind. transformers' Mistral ignores the bias flags; llama.cpp writes it as llama. */
export const mistral: Family = {
  modelType: 'mistral',
  absent: { kvHeads: 8, bosTokenId: 1, eosTokenId: 2 },
  biases: () => noBiases,
  slidingWindow: ({ sliding_window: window }) => (window === undefined ? ABSENT_WINDOW : window),
  names: huggingFaceNames,
  gguf: null,
};
