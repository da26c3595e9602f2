import { z } from 'zod';
import { InputError } from '../../errors.js';
import { parseFields } from '../../json-file.js';
import { noBiases } from '../model-config.js';
import type { Family } from './family.js';
import { huggingFaceNames, llamaCppNames } from './names.js';

const schema = z.object({
  num_hidden_layers: z.int(),
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.int().positive().nullable().default(4096),
  max_window_layers: z.int().nonnegative().default(28),
  layer_types: z.array(z.string()).nullish(),
});

/** Qwen 2 and 2.5, and what was made of them: Llama with biases on q, k and v. */
export const qwen2: Family = {
  modelType: 'qwen2',
  absent: { kvHeads: 32, bosTokenId: null, eosTokenId: null },
  traits: (json, file) => ({
    biases: { ...noBiases, q: true, k: true, v: true },
    slidingWindow: windowOf(parseFields(schema, json, file), file),
  }),
  names: huggingFaceNames,
  gguf: { architecture: 'qwen2', names: llamaCppNames, interleaved: false },
};

function windowOf(fields: z.infer<typeof schema>, file: string): number | null {
  const { sliding_window: window, num_hidden_layers: layers } = fields;
  if (!fields.use_sliding_window || window === null) return null;
  const windowed = windowedLayers(fields);
  if (windowed > 0 && windowed < layers)
    throw new InputError(
      `${file}: use_sliding_window gives ${windowed} of the ${layers} layers a window (max_window_layers, layer_types), and only all or none can have one.`,
    );
  return windowed === 0 ? null : window;
}

/** Layers from max_window_layers on, unless config.json lists the type of each. */
function windowedLayers(fields: z.infer<typeof schema>): number {
  const { layer_types: types, max_window_layers: first, num_hidden_layers: layers } = fields;
  if (types) return types.filter((type) => type === 'sliding_attention').length;
  return Math.max(0, layers - first);
}
