import type { ModelConfig } from '../checkpoint/model-config.js';

/**
 * Rotary frequencies of a model, one per pair of dimensions (Su et al. 2021, arXiv 2104.09864), with the stretching
 * that the checkpoint asks for: `linear` divides all by the factor; `llama3` keeps the fast ones, divides the slow
 * ones and interpolates between (Llama 3.1's rule, by wavelength against the original context).
 */
export function rotaryFrequencies(config: ModelConfig): Float64Array {
  const half = config.headDim / 2;
  const scaling = config.ropeScaling;
  return Float64Array.from({ length: half }, (_, i) => {
    const frequency = config.ropeTheta ** (-i / half);
    if (!scaling) return frequency;
    if (scaling.type === 'linear') return frequency / scaling.factor;
    const turns = (scaling.originalContextLength * frequency) / (2 * Math.PI);
    if (turns < scaling.lowFreqFactor) return frequency / scaling.factor;
    if (turns > scaling.highFreqFactor) return frequency;
    const share =
      (turns - scaling.lowFreqFactor) / (scaling.highFreqFactor - scaling.lowFreqFactor);
    return (1 - share) * (frequency / scaling.factor) + share * frequency;
  });
}

/** Cosines and sines of every position, [rows, headDim / 2] each. */
export function rotaryTable(
  config: ModelConfig,
  rows: number,
): { cos: Float32Array; sin: Float32Array } {
  const frequencies = rotaryFrequencies(config);
  const half = frequencies.length;
  const cos = new Float32Array(rows * half);
  const sin = new Float32Array(rows * half);
  for (let position = 0; position < rows; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i]!;
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
