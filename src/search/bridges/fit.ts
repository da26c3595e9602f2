/**
 * Bridges fitted in closed form on the full model's own hidden states, so that one set of states serves every mask.
 *
 * | symbol | shape  | meaning                                                                         |
 * |--------|--------|---------------------------------------------------------------------------------|
 * | h_i    | [n, d] | hidden states before sublayer i of the full model, at n positions of calibration |
 * | N      | [n, d] | rmsnorm(h_from), its column means taken away                                    |
 * | lambda |        | the ridge, RIDGE n: a hundredth of the mean square of a normed feature          |
 *
 * A bridge over the sublayers from .. to - 1 is the ridge regression of h_to - h_from on N (graph/ridge.ts). The inverse depends
 * on `from` alone and is kept; a bridge then costs two products.
 */
import type { ModelConfig } from '../../checkpoint/model-config.js';
import { roundedToHalf } from '../../engine/draft-weights.js';
import type { Engine } from '../../engine/engine.js';
import { RidgeProducts } from '../../engine/ridge.js';
import { checkpointBridge } from '../../graph/rotated-bridge.js';
import { Cholesky } from '../../optimise/gp/cholesky.js';
import type { Bridge, SkippedRun } from '../../profile/draft-plan.js';

/**
 * lambda / n. A draft's own states differ from the full model's that the map is fitted to; a larger ridge keeps it from relying on
 * directions that hardly vary. Accepted tokens of SmolLM2 change by less than a hundredth between 0.003 and 0.03.
 */
const RIDGE = 0.01;

/**
 * Bytes of bridges, and of inverses, that are kept: neighbouring masks have most of their runs in common. The engine has each
 * bridge once more, for the compiled model's states.
 */
const keptBytes = 256 * 2 ** 20;

/** Fits bridges. */
export interface BridgeFitter {
  /** The bridge over a run of sublayers. */
  fit(run: SkippedRun): Promise<Bridge>;
  close(): Promise<void>;
}

/** @param states h_0 .. h_2L of the compiled model, [n, d] each. */
export async function createBridgeFitter(
  engine: Engine,
  states: readonly Float32Array[],
): Promise<BridgeFitter> {
  const { config } = engine;
  const products = await RidgeProducts.load(config, engine.threads, engine.device);
  const { hiddenSize: d } = config;
  const most = (bytes: number) => Math.max(1, Math.floor(keptBytes / bytes));
  const inverses = new Latest<number, Float32Array>(most(2 * d * (d + 1)));
  const bridges = new Latest<string, Bridge>(most(4 * d ** 2));
  const inverseAt = async (from: number): Promise<Float32Array> => {
    const known = inverses.get(from);
    if (known) return known;
    const made = ridgeInverse(await products.gram(states[from]!), config, states[from]!.length);
    inverses.set(from, made);
    return made;
  };
  return {
    async fit({ from, to }) {
      const key = `${from}-${to}`;
      const known = bridges.get(key);
      if (known) return known;
      const inverse = await inverseAt(from);
      const map = await products.map(states[from]!, states[to]!, symmetric(inverse, d));
      const { weight, bias } = checkpointBridge({ from, to, ...map }, engine.model);
      // As a profile will have it, so that what is measured is what is stored.
      const bridge = { from, to, weight: roundedToHalf(weight), bias: roundedToHalf(bias) };
      bridges.set(key, bridge);
      return bridge;
    },
    close: () => products.close(),
  };
}

/** The values that were used last. */
class Latest<K, V> {
  private readonly values = new Map<K, V>();

  constructor(private readonly most: number) {}

  get(key: K): V | undefined {
    const value = this.values.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.values.delete(key);
    this.values.set(key, value);
    const [oldest] = this.values.keys();
    if (this.values.size > this.most && oldest !== undefined) this.values.delete(oldest);
  }
}

/** The lower triangle of (G + lambda 1)^-1, row by row. */
function ridgeInverse(gram: Float32Array, config: ModelConfig, elements: number): Float32Array {
  const { hiddenSize: d } = config;
  const cholesky = new Cholesky(d, (RIDGE * elements) / d);
  for (let row = 0; row < d; row++) {
    const part = Float64Array.from(gram.subarray(row * d, row * d + row + 1));
    if (!cholesky.append(part)) throw new TypeError('the hidden states are not finite');
  }
  return new Float32Array(cholesky.inverse());
}

/** A symmetric matrix [d, d] by its lower triangle. */
function symmetric(triangle: Float32Array, d: number): Float32Array {
  const whole = new Float32Array(d * d);
  for (let row = 0, at = 0; row < d; row++)
    for (let column = 0; column <= row; column++, at++)
      whole[row * d + column] = whole[column * d + row] = triangle[at]!;
  return whole;
}
