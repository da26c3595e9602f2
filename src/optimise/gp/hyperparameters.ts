/**
 * The vector that the fit moves, and its prior. Every component is a logarithm with an independent normal prior:
 *
 * | index | symbol      | prior mean  | sd  | why                                                                 |
 * |-------|-------------|-------------|-----|---------------------------------------------------------------------|
 * | 0     | log s_h     | log 0.5     | 1   | scores are standardised: the variances should sum to about 1        |
 * | 1     | log s_b     | log 0.1     | 1   | the mean was removed                                                |
 * | 2     | log s_l     | log 0.5     | 1   | main effects explain much of a skip mask's score                    |
 * | 3, 4  | log l_1,2   | log 0.5     | 0.7 | half the range of a draft parameter                                 |
 * | 5     | log mu      | log 0.3     | 1   | exit kinds resemble each other                                      |
 * | 6     | log noise   | log 0.01    | 1.5 | floor of the noise variance, beside what was told                   |
 * | 7     | g           | log(1.5/n)  | 1   | common decay per bit: masks that differ in half the bits correlate  |
 * |       |             |             |     | about 0.5 whatever n (the dimension scaling of Hvarfner et al. 2024)|
 * | 8 + i | delta_i     | 0           | 0.7 | lambda_i = exp(g + delta_i): bits matter unequally                  |
 */
import type { KernelParameters } from './kernel.js';

/** What a fit determines, in standardised score units. */
export interface Hyperparameters {
  readonly kernel: KernelParameters;
  /** Noise variance added to what each trial was told with. */
  readonly noiseFloor: number;
}

/** Index of each component of theta; `deviation` is where the n per-bit ones begin. */
export const THETA = {
  heat: 0,
  bias: 1,
  linear: 2,
  lengthScale: 3,
  thresholdScale: 4,
  exitDecay: 5,
  noise: 6,
  commonDecay: 7,
  deviation: 8,
} as const;

/** Never fitted below this: it keeps the covariance matrix well conditioned. */
const LEAST_NOISE = 1e-5;

/** Prior means and standard deviations of theta for n bits, each [8 + n]. */
export function thetaPrior(bits: number): { mean: Float64Array; sd: Float64Array } {
  const mean = new Float64Array(THETA.deviation + bits);
  const sd = new Float64Array(THETA.deviation + bits).fill(0.7);
  mean.set([0.5, 0.1, 0.5, 0.5, 0.5, 0.3, 0.01, 1.5 / bits].map(Math.log));
  sd.set([1, 1, 1, 0.7, 0.7, 1, 1.5, 1]);
  return { mean, sd };
}

/** The hyperparameters of one theta. */
export function fromTheta(theta: Float64Array): Hyperparameters {
  const value = (index: number) => Math.exp(theta[index]);
  return {
    kernel: {
      heatVariance: value(THETA.heat),
      biasVariance: value(THETA.bias),
      linearVariance: value(THETA.linear),
      decay: theta
        .subarray(THETA.deviation)
        .map((delta) => Math.exp(theta[THETA.commonDecay] + delta)),
      draftScales: [value(THETA.lengthScale), value(THETA.thresholdScale)],
      exitDecay: value(THETA.exitDecay),
    },
    noiseFloor: LEAST_NOISE + value(THETA.noise),
  };
}
