import { z } from 'zod';
import { InputError } from '../../errors.js';
import { parseFields } from '../../json-file.js';
import type { Family } from './family.js';
import { flaggedBiases, windowedLayers, windowSize } from './fields.js';
import { huggingFaceNames, llamaCppNames } from './names.js';

const schema = z.object({
  num_hidden_layers: z.int(),
  /** 1 for a layer that is rotated, 0 for one that is not. */
  no_rope_layers: z.array(z.int().min(0).max(1)).nullish(),
  no_rope_layer_interval: z.int().positive().default(4),
  use_sliding_window: z.boolean().default(false),
  sliding_window: windowSize,
});

/** SmolLM 3: Llama with every fourth layer not rotated. */
export const smollm3: Family = {
  modelType: 'smollm3',
  absent: {
    ...{ kvHeads: 4, bosTokenId: 128000, eosTokenId: 128001 },
    ...{ tiedEmbeddings: true, ropeTheta: 2e6 },
  },
  layers: {},
  traits(json, file) {
    const fields = parseFields(schema, json, file);
    const { num_hidden_layers: layers, no_rope_layers: rotated } = fields;
    if (rotated && rotated.length < layers)
      throw new InputError(
        `${file}: no_rope_layers lists ${rotated.length} layers, and there are ${layers}.`,
      );
    const unrotated = Array.from({ length: layers }, (_, layer) => layer).filter((layer) =>
      rotated ? rotated[layer] === 0 : (layer + 1) % fields.no_rope_layer_interval === 0,
    );
    const window = (fields.use_sliding_window ? fields.sliding_window : null) ?? null;
    return {
      biases: flaggedBiases(json, file, 'both'),
      slidingWindow: window,
      windowedLayers:
        window === null ? null : windowedLayers(json, file, (layer) => unrotated.includes(layer)),
      unrotatedLayers: unrotated,
    };
  },
  names: huggingFaceNames,
  gguf: { architecture: 'smollm3', names: llamaCppNames, interleaved: true },
};
