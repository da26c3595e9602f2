import { z } from 'zod';
import { InputError } from '../errors.js';
import type { Rope, RopeScaling } from './model-config.js';

const MAX_FACTORS = 4096;

const positive = z.number().positive();
const factors = z.array(positive).max(MAX_FACTORS).nullish();
const parameters = z.looseObject({
  rope_type: z.string().optional(),
  /** The older spelling of `rope_type`. */
  type: z.string().optional(),
  rope_theta: positive.optional(),
  partial_rotary_factor: positive.max(1).optional(),
  factor: positive.nullish(),
  low_freq_factor: positive.optional(),
  high_freq_factor: positive.optional(),
  original_max_position_embeddings: z.int().positive().optional(),
  attention_factor: positive.nullish(),
  mscale: z.number().nonnegative().nullish(),
  mscale_all_dim: z.number().nonnegative().nullish(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  truncate: z.boolean().optional(),
  short_factor: factors,
  long_factor: factors,
});
type Parameters = z.infer<typeof parameters>;

const ropeObject = parameters
  .extend({ full_attention: parameters.nullish(), sliding_attention: parameters.nullish() })
  .nullish();

/** The fields of config.json that say how positions are rotated, for a zod object. */
export const ropeFields = {
  rope_theta: positive.nullish(),
  rope_scaling: ropeObject,
  /** transformers 5 writes theta and scaling into this one object, or one for each kind of layer. */
  rope_parameters: ropeObject,
  /** Theta of the layers with a window. */
  rope_local_base_freq: positive.nullish(),
  partial_rotary_factor: positive.max(1).nullish(),
  original_max_position_embeddings: z.int().positive().nullish(),
};

type RopeFields = { [Field in keyof typeof ropeFields]?: z.infer<(typeof ropeFields)[Field]> };

/** What the rotation of a model depends on beside its own fields. */
export interface RopeContext {
  readonly headDim: number;
  readonly contextLength: number;
  /** Theta of fields that say nothing; of the layers with a window, or undefined where all layers are rotated alike. */
  readonly absentTheta: number;
  readonly absentWindowedTheta: number | undefined;
}

/** How a model rotates queries and keys. */
export interface ParsedRope {
  readonly rope: Rope;
  readonly windowedRope: Rope | null;
  /** Share of a head that is rotated. */
  readonly partial: number;
  /** Positions that the rotation is good for. */
  readonly contextLength: number;
}

/**
 * Rotary base and frequency scaling from the old (`rope_theta`, `rope_scaling`) or the new (`rope_parameters`) fields.
 * @throws InputError for a scaling that is not known, or one whose parameters are missing
 */
export function parseRope(fields: RopeFields, context: RopeContext, file: string): ParsedRope {
  const field = fields.rope_parameters ? 'rope_parameters' : 'rope_scaling';
  const object = fields[field] ?? {};
  const ofAll = object.full_attention ?? object;
  const where = `${file}: ${field}${object.full_attention ? '.full_attention' : ''}`;
  const partial = ofAll.partial_rotary_factor ?? fields.partial_rotary_factor ?? 1;
  const sizes: Sizes = {
    rotated: Math.floor(context.headDim * partial),
    longest: context.contextLength,
    original:
      ofAll.original_max_position_embeddings ??
      fields.original_max_position_embeddings ??
      undefined,
  };
  const theta = ofAll.rope_theta ?? fields.rope_theta ?? context.absentTheta;
  const scaling = parseScaling(ofAll, sizes, where);
  const { absentWindowedTheta } = context;
  const windowed = object.sliding_attention ?? {};
  return {
    rope: { theta, scaling },
    windowedRope:
      absentWindowedTheta === undefined
        ? null
        : {
            theta: windowed.rope_theta ?? fields.rope_local_base_freq ?? absentWindowedTheta,
            scaling: parseScaling(windowed, sizes, `${file}: ${field}.sliding_attention`),
          },
    partial,
    // With other factors for longer sequences, these are good for the original context alone.
    contextLength:
      scaling?.type === 'factors' && ofAll.long_factor
        ? (sizes.original ?? sizes.longest)
        : sizes.longest,
  };
}

interface Sizes {
  /** Dimensions of a head. */
  readonly rotated: number;
  /** `max_position_embeddings`. */
  readonly longest: number;
  readonly original: number | undefined;
}

function parseScaling(object: Parameters, sizes: Sizes, where: string): RopeScaling | null {
  const type = object.rope_type ?? object.type ?? 'default';
  const parse = Object.hasOwn(scalings, type) ? scalings[type] : undefined;
  if (parse === undefined)
    throw new InputError(
      `${where} of type "${type}" is not supported; supported are ${Object.keys(scalings).join(', ')}.`,
    );
  return parse(object, sizes, where);
}

/** By `rope_type`. */
const scalings: Readonly<
  Record<string, (object: Parameters, sizes: Sizes, where: string) => RopeScaling | null>
> = {
  default: () => null,
  linear: (object, _, where) => ({ type: 'linear', factor: need(object, 'factor', where) }),
  // Stretches only what is longer than max_position_embeddings, which no sequence is here.
  dynamic: () => null,
  llama3(object, _, where) {
    const lowFreqFactor = need(object, 'low_freq_factor', where);
    const highFreqFactor = need(object, 'high_freq_factor', where);
    if (highFreqFactor <= lowFreqFactor)
      throw new InputError(
        `${where}.high_freq_factor must be above low_freq_factor (${lowFreqFactor}).`,
      );
    return {
      type: 'llama3',
      factor: need(object, 'factor', where),
      lowFreqFactor,
      highFreqFactor,
      originalContextLength: need(object, 'original_max_position_embeddings', where),
    };
  },
  yarn(object, { longest, original }, where) {
    const originalContextLength = original ?? longest;
    const factor = object.factor ?? longest / originalContextLength;
    const { mscale, mscale_all_dim: mscaleAllDim } = object;
    const magnitude = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
    const betaFast = object.beta_fast ?? 32;
    const betaSlow = object.beta_slow ?? 1;
    if (betaFast <= betaSlow)
      throw new InputError(`${where}.beta_fast must be above beta_slow (${betaSlow}).`);
    return {
      type: 'yarn',
      ...{ factor, betaFast, betaSlow, truncate: object.truncate ?? true },
      attentionFactor:
        object.attention_factor ??
        (mscale && mscaleAllDim ? magnitude(mscale) / magnitude(mscaleAllDim) : magnitude(1)),
      originalContextLength,
    };
  },
  longrope: longRope,
  // What Phi-3 called it at first.
  su: longRope,
};

/**
 * Of the two sets of factors, the one for sequences up to the original context: with the other, keys that are kept would have to be
 * rotated anew when a sequence grows past it.
 */
function longRope(object: Parameters, sizes: Sizes, where: string): RopeScaling {
  const { rotated, longest, original = longest } = sizes;
  const short = need(object, 'short_factor', where);
  if (short.length !== rotated / 2)
    throw new InputError(
      `${where}.short_factor has ${short.length} numbers, but ${rotated / 2} pairs of dimensions are rotated.`,
    );
  const stretch = object.factor ?? longest / original;
  return {
    type: 'factors',
    factors: short,
    attentionFactor:
      object.attention_factor ??
      (stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original))),
  };
}

function need<K extends keyof Parameters>(
  object: Parameters,
  name: K,
  where: string,
): NonNullable<Parameters[K]> {
  const value = object[name];
  if (value == null)
    throw new InputError(`${where}.${String(name)} is missing; take the original config.json.`);
  return value;
}
