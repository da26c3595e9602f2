import type { ModelConfig, Rope, RopeScaling } from '../checkpoint/model-config.js';

type Interpolated = Exclude<RopeScaling, { readonly type: 'factors' }>;

/**
 * Rotary frequencies, one per pair of dimensions (Su et al. 2021, arXiv 2104.09864), with the stretching that the checkpoint
 * asks for: `linear` divides all by the factor; `llama3` keeps the fast ones, divides the slow ones and interpolates between,
 * by their turns in the original context; `yarn` the same by their place among all (Peng et al. 2023, arXiv 2309.00071);
 * `factors` divides each by its own.
 * @param dimensions those of a head that are rotated.
 */
export function rotaryFrequencies({ theta, scaling }: Rope, dimensions: number): Float64Array {
  const half = dimensions / 2;
  const plain = Float64Array.from({ length: half }, (_, i) => theta ** (-i / half));
  if (scaling === null) return plain;
  if (scaling.type === 'factors')
    return plain.map((frequency, i) => frequency / scaling.factors[i]!);
  const kept = keptShare(scaling, theta, dimensions);
  return plain.map((frequency, i) => {
    const share = kept(frequency, i);
    if (share === 1) return frequency;
    return (1 - share) * (frequency / scaling.factor) + share * frequency;
  });
}

/** How much of a frequency stays, from 0 (divided by the factor) to 1. */
function keptShare(
  scaling: Interpolated,
  theta: number,
  dimensions: number,
): (frequency: number, i: number) => number {
  const ramp = (x: number) => Math.min(1, Math.max(0, x));
  if (scaling.type === 'linear') return () => 0;
  const { originalContextLength: original } = scaling;
  if (scaling.type === 'llama3') {
    const { lowFreqFactor: low, highFreqFactor: high } = scaling;
    return (frequency) => ramp(((original * frequency) / (2 * Math.PI) - low) / (high - low));
  }
  /** The place of the frequency that turns so often in the original context. */
  const place = (turns: number) =>
    (dimensions * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [place(scaling.betaFast), place(scaling.betaSlow)];
  const low = Math.max(0, scaling.truncate ? Math.floor(first) : first);
  const high = Math.min(dimensions - 1, scaling.truncate ? Math.ceil(last) : last);
  return (_, i) => 1 - ramp((i - low) / (high === low ? 0.001 : high - low));
}

/** Dimensions of a head that are rotated. */
export function rotaryDimensions({ rotaryDim, headDim }: ModelConfig): number {
  return rotaryDim ?? headDim;
}

function attentionFactor(scaling: RopeScaling | null): number {
  return scaling !== null && 'attentionFactor' in scaling ? scaling.attentionFactor : 1;
}

/**
 * The row of the rotary tables that leaves a vector as it is, which the rows of v are given: position 0, or one after all
 * positions where the tables scale what they rotate.
 */
export function identityRow(config: ModelConfig): number {
  const { ropeScaling, windowedRope, contextLength } = config;
  const scalings = [ropeScaling, windowedRope?.scaling ?? null];
  return scalings.every((scaling) => attentionFactor(scaling) === 1) ? 0 : contextLength;
}

/** Cosines and sines of every position, and of the identity after them where {@link identityRow} says so. */
export interface RotaryTable {
  /** [rows, rotated dimensions / 2], as is `sin`. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  readonly rows: number;
}

/** The table of a rotation of the model's. */
export function rotaryTable(config: ModelConfig, rope: Rope): RotaryTable {
  const frequencies = rotaryFrequencies(rope, rotaryDimensions(config));
  const factor = attentionFactor(rope.scaling);
  const half = frequencies.length;
  const { contextLength } = config;
  const rows = Math.max(contextLength, identityRow(config) + 1);
  const cos = new Float32Array(rows * half).fill(1);
  const sin = new Float32Array(rows * half);
  for (let position = 0; position < contextLength; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i]!;
      cos[position * half + i] = factor * Math.cos(angle);
      sin[position * half + i] = factor * Math.sin(angle);
    }
  }
  return { cos, sin, rows };
}
