import { z } from 'zod';
import { InputError } from '../../errors.js';
import { parseFields } from '../../json-file.js';
import { type Biases, noBiases } from '../model-config.js';

const biasFlags = z.object({
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

/**
 * The biases that `attention_bias` asks for, and `mlp_bias` where the family heeds it.
 * @throws InputError for a flag that is none
 */
export function flaggedBiases(json: unknown, file: string, heeds: 'attention' | 'both'): Biases {
  const { attention_bias: attention, mlp_bias: flag } = parseFields(biasFlags, json, file);
  const mlp = flag && heeds === 'both';
  return {
    ...noBiases,
    ...{ q: attention, k: attention, v: attention, o: attention },
    ...{ gate: mlp, up: mlp, down: mlp },
  };
}

const layerTypes = z.object({
  num_hidden_layers: z.int(),
  layer_types: z.array(z.enum(['sliding_attention', 'full_attention'])).nullish(),
});

/**
 * The layers that have the sliding window: those that `layer_types` lists as such, else those that the rule has.
 * @returns their numbers, ascending
 * @throws InputError for a type of layer that is not known, or a list of another length than there are layers
 */
export function windowedLayers(
  json: unknown,
  file: string,
  rule: (layer: number) => boolean,
): number[] {
  const { num_hidden_layers: layers, layer_types: types } = parseFields(layerTypes, json, file);
  if (types && types.length !== layers)
    throw new InputError(
      `${file}: layer_types lists ${types.length} layers, and there are ${layers}.`,
    );
  return Array.from({ length: layers }, (_, layer) => layer).filter((layer) =>
    types ? types[layer] === 'sliding_attention' : rule(layer),
  );
}

/** A multiplier, or a divisor. */
export const multiplier = z.number().positive().max(1e6);
/** A limit of soft capping, or none. */
export const softCap = z.number().positive().max(1e6).nullish();
export const windowSize = z.int().positive().nullish();
