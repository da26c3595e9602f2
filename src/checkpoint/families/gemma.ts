import { z } from 'zod';
import { parseFields } from '../../json-file.js';
import type { Family } from './family.js';
import { flaggedBiases } from './fields.js';
import { huggingFaceNames, llamaCppNames } from './names.js';

const sizes = z.object({ hidden_size: z.number() });

/** Gemma 1, CodeGemma: scaled embeddings, an MLP gated by GELU, norms stored less 1. */
export const gemma: Family = {
  modelType: 'gemma',
  absent: { kvHeads: 16, bosTokenId: 2, eosTokenId: 1, headDim: 256, tiedEmbeddings: true },
  layers: { activation: 'gelu' },
  traits: (json, file) => ({
    biases: flaggedBiases(json, file, 'attention'),
    slidingWindow: null,
    embeddingScale: embeddingScale(json, file),
  }),
  names: { ...huggingFaceNames, normsLessOne: true },
  gguf: { architecture: 'gemma', names: llamaCppNames, interleaved: false },
};

/** Of every Gemma: the square root of the hidden size. */
export function embeddingScale(json: unknown, file: string): number {
  return Math.sqrt(parseFields(sizes, json, file).hidden_size);
}
