/**
 * The pieces of the reference forward pass, in float64.
 *
 * | symbol | shape | meaning |
 * |---|---|---|
 * | x, y | [n] | a vector |
 * | W | [out, in] row-major | a projection's weight |
 * | d | | head_dim |
 * | f | [d/2] | rotary frequencies, radians per position |
 * | q | [d] | the query of one head; k, v: its keys and values by position |
 */
import type { ModelConfig } from '../../src/checkpoint/model-config.js';

type Vector = Float64Array | Float32Array;

/** RMSNorm: x / sqrt(mean(x^2) + eps) * weight. */
export function rmsNorm(x: Vector, weight: Vector, eps: number): Float64Array {
  let squares = 0;
  for (const value of x) squares += value * value;
  const inverse = 1 / Math.sqrt(squares / x.length + eps);
  return Float64Array.from(x, (value, i) => value * inverse * weight[i]!);
}

/** W x + bias, with W of shape [out, in] and `in` the length of x. */
export function linear(weight: Vector, x: Float64Array, bias?: Vector): Float64Array {
  const y = new Float64Array(weight.length / x.length);
  for (let row = 0, at = 0; row < y.length; row++) {
    let sum = bias?.[row] ?? 0;
    for (let i = 0; i < x.length; i++) sum += weight[at++]! * x[i]!;
    y[row] = sum;
  }
  return y;
}

/** x * sigmoid(x). */
export const silu = (x: number) => x / (1 + Math.exp(-x));

/**
 * Rotary frequencies f_i = theta^(-2i/d), stretched as `ropeScaling` says. linear: all divided by the factor.
 * llama3: wavelengths over original/low divided by the factor, those under original/high kept, between them blended.
 */
export function rotaryFrequencies(
  config: Pick<ModelConfig, 'headDim' | 'ropeTheta' | 'ropeScaling'>,
): Float64Array {
  const { headDim, ropeTheta, ropeScaling } = config;
  return Float64Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = ropeTheta ** ((-2 * i) / headDim);
    if (ropeScaling === null) return frequency;
    if (ropeScaling.type !== 'linear' && ropeScaling.type !== 'llama3')
      throw new RangeError(`the reference has no ${ropeScaling.type}`);
    const stretched = frequency / ropeScaling.factor;
    if (ropeScaling.type === 'linear') return stretched;
    const { lowFreqFactor, highFreqFactor, originalContextLength } = ropeScaling;
    const turns = (originalContextLength * frequency) / (2 * Math.PI); // in the original context
    if (turns < lowFreqFactor) return stretched;
    if (turns > highFreqFactor) return frequency;
    const share = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return (1 - share) * stretched + share * frequency;
  });
}

/** Rotates every head of x ([heads * d]) to `position`, pairing element i with i + d/2 (rotate-half). */
export function rotate(x: Float64Array, position: number, frequencies: Float64Array): Float64Array {
  const half = frequencies.length;
  const y = new Float64Array(x.length);
  for (let head = 0; head < x.length; head += 2 * half) {
    for (let i = 0; i < half; i++) {
      const cos = Math.cos(position * frequencies[i]!);
      const sin = Math.sin(position * frequencies[i]!);
      const a = x[head + i]!;
      const b = x[head + i + half]!;
      y[head + i] = a * cos - b * sin;
      y[head + i + half] = b * cos + a * sin;
    }
  }
  return y;
}

/**
 * Grouped-query attention of one position: softmax(q.k / sqrt(d)) v over keys[first..], query head h reading K/V head
 * floor(h / (heads / kvHeads)).
 * @param query [heads * d]
 * @param keys one [kvHeads * d] per position; values likewise
 * @returns [heads * d]
 */
export function attend(
  query: Float64Array,
  keys: readonly Float64Array[],
  values: readonly Float64Array[],
  { heads, kvHeads, headDim }: Pick<ModelConfig, 'heads' | 'kvHeads' | 'headDim'>,
): Float64Array {
  const output = new Float64Array(query.length);
  for (let head = 0; head < heads; head++) {
    const q = head * headDim;
    const kv = Math.floor(head / (heads / kvHeads)) * headDim;
    const scores = keys.map((key) => {
      let dot = 0;
      for (let i = 0; i < headDim; i++) dot += query[q + i]! * key[kv + i]!;
      return dot / Math.sqrt(headDim);
    });
    const largest = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - largest));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let position = 0; position < keys.length; position++) {
      const share = weights[position]! / total;
      for (let i = 0; i < headDim; i++) output[q + i]! += share * values[position]![kv + i]!;
    }
  }
  return output;
}
