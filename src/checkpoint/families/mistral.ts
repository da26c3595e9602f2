import { z } from 'zod';
import { parseFields } from '../../json-file.js';
import { noBiases } from '../model-config.js';
import type { Family } from './family.js';
import { huggingFaceNames } from './names.js';

const schema = z.object({ sliding_window: z.int().positive().nullable().default(4096) });

/** Mistral 7B and its kind. transformers' Mistral ignores the bias flags; llama.cpp writes it as llama. */
export const mistral: Family = {
  modelType: 'mistral',
  absent: { kvHeads: 8, bosTokenId: 1, eosTokenId: 2 },
  layers: {},
  traits(json, file) {
    const { sliding_window: slidingWindow } = parseFields(schema, json, file);
    return { biases: noBiases, slidingWindow };
  },
  names: huggingFaceNames,
  gguf: null,
};
