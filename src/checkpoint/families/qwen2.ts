import { z } from 'zod';
import { parseFields } from '../../json-file.js';
import { type LayerOptions, noBiases } from '../model-config.js';
import type { Family, FamilyTraits } from './family.js';
import { windowedLayers, windowSize } from './fields.js';
import { huggingFaceNames, llamaCppNames } from './names.js';

/** Qwen 2 and 2.5, and what was made of them: Llama with biases on q, k and v. */
export const qwen2: Family = {
  modelType: 'qwen2',
  absent: { kvHeads: 32, bosTokenId: null, eosTokenId: null },
  layers: {},
  traits: (json, file) => ({
    biases: { ...noBiases, q: true, k: true, v: true },
    ...qwenWindow(json, file),
  }),
  names: huggingFaceNames,
  gguf: { architecture: 'qwen2', names: llamaCppNames, interleaved: false },
};

const schema = z.object({
  use_sliding_window: z.boolean().default(false),
  sliding_window: windowSize.default(4096),
  max_window_layers: z.int().nonnegative().default(28),
});

/** The window of the layers from max_window_layers on, unless config.json lists the type of each. */
export function qwenWindow(
  json: unknown,
  file: string,
): Pick<FamilyTraits, 'slidingWindow'> & Pick<LayerOptions, 'windowedLayers'> {
  const fields = parseFields(schema, json, file);
  const { sliding_window: slidingWindow, max_window_layers: first } = fields;
  if (!fields.use_sliding_window || slidingWindow == null)
    return { slidingWindow: null, windowedLayers: null };
  return { slidingWindow, windowedLayers: windowedLayers(json, file, (layer) => layer >= first) };
}
