import { noBiases } from '../model-config.js';
import type { Family, FamilyFields } from './family.js';
import { huggingFaceNames, llamaCppNames } from './names.js';

/** What Qwen2Config of transformers takes for fields that config.json leaves out. */
const ABSENT_WINDOW = 4096;
const ABSENT_WINDOWS_FROM = 28;

/** Qwen 2 and 2.5, and what was made of them: Llama with biases on q, k and v. */
export const qwen2: Family = {
  modelType: 'qwen2',
  absent: { kvHeads: 32, bosTokenId: null, eosTokenId: null },
  biases: () => ({ ...noBiases, q: true, k: true, v: true }),
  slidingWindow(fields, fail) {
    const { sliding_window: window = ABSENT_WINDOW, num_hidden_layers: layers } = fields;
    if (!fields.use_sliding_window || window === null) return null;
    const windowed = windowedLayers(fields);
    if (windowed > 0 && windowed < layers)
      fail(
        `use_sliding_window gives ${windowed} of the ${layers} layers a window (max_window_layers, layer_types), and only all or none can have one`,
      );
    return windowed === 0 ? null : window;
  },
  names: huggingFaceNames,
  gguf: { architecture: 'qwen2', names: llamaCppNames, interleaved: false },
};

/** Layers from max_window_layers on, unless config.json lists the type of each. */
function windowedLayers(fields: FamilyFields): number {
  const { layer_types: types, max_window_layers: first, num_hidden_layers: layers } = fields;
  if (types) return types.filter((type) => type === 'sliding_attention').length;
  return Math.max(0, layers - (first ?? ABSENT_WINDOWS_FROM));
}
