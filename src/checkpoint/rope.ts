import { z } from 'zod';
import { InputError } from '../errors.js';
import type { ModelConfig, RopeScaling } from './model-config.js';

const DEFAULT_THETA = 10000;

const positive = z.number().positive();
const ropeObject = z
  .looseObject({
    rope_type: z.string().optional(),
    /** The older spelling of `rope_type`. */
    type: z.string().optional(),
    rope_theta: positive.optional(),
    partial_rotary_factor: z.number().optional(),
    factor: positive.optional(),
    low_freq_factor: positive.optional(),
    high_freq_factor: positive.optional(),
    original_max_position_embeddings: z.int().positive().optional(),
  })
  .nullish();

/** The fields of config.json that say how positions are rotated, for a zod object. */
export const ropeFields = {
  rope_theta: positive.nullish(),
  rope_scaling: ropeObject,
  /** transformers 5 writes theta and scaling into this one object. */
  rope_parameters: ropeObject,
};

type RopeObject = NonNullable<z.infer<typeof ropeObject>>;

/**
 * Rotary base and frequency scaling from the old (`rope_theta`, `rope_scaling`) or the new (`rope_parameters`) fields.
 * @throws InputError for a scaling other than none, linear and llama3, or one whose parameters are missing
 */
export function parseRope(
  fields: { [Field in keyof typeof ropeFields]?: z.infer<(typeof ropeFields)[Field]> },
  file: string,
): Pick<ModelConfig, 'ropeTheta' | 'ropeScaling'> {
  const field = fields.rope_parameters ? 'rope_parameters' : 'rope_scaling';
  const object = fields[field] ?? {};
  if ((object.partial_rotary_factor ?? 1) !== 1)
    throw new InputError(
      `${file}: ${field}.partial_rotary_factor is not supported; whole heads must be rotated.`,
    );
  return {
    ropeTheta: object.rope_theta ?? fields.rope_theta ?? DEFAULT_THETA,
    ropeScaling: parseScaling(object, `${file}: ${field}`),
  };
}

function parseScaling(object: RopeObject, where: string): RopeScaling | null {
  const need = (
    name: 'factor' | 'low_freq_factor' | 'high_freq_factor' | 'original_max_position_embeddings',
  ) => {
    const value = object[name];
    if (value === undefined)
      throw new InputError(`${where}.${name} is missing; take the original config.json.`);
    return value;
  };
  const type = object.rope_type ?? object.type ?? 'default';
  if (type === 'default') return null;
  if (type === 'linear') return { type, factor: need('factor') };
  if (type !== 'llama3')
    throw new InputError(
      `${where} of type "${type}" is not supported; supported are none, "linear" and "llama3".`,
    );
  const lowFreqFactor = need('low_freq_factor');
  const highFreqFactor = need('high_freq_factor');
  if (highFreqFactor <= lowFreqFactor)
    throw new InputError(
      `${where}.high_freq_factor must be above low_freq_factor (${lowFreqFactor}).`,
    );
  return {
    type,
    factor: need('factor'),
    lowFreqFactor,
    highFreqFactor,
    originalContextLength: need('original_max_position_embeddings'),
  };
}
