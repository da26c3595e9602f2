import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { gramGraph, mapGraph } from '../graph/ridge.js';
import { allOrNone } from './all-or-none.js';
import { createSession } from './session.js';

/** The products of ridge regressions of hidden states (graph/ridge.ts). States are [rows, hidden]. */
export class RidgeProducts {
  private constructor(
    private readonly hiddenSize: number,
    private readonly gramSession: InferenceSession,
    private readonly mapSession: InferenceSession,
  ) {}

  /** Close it after use. */
  static async load({ hiddenSize, rmsNormEps }: ModelConfig, threads: number, device: string) {
    const [gram, map] = await allOrNone(
      [gramGraph, mapGraph].map((graph) =>
        createSession(graph(hiddenSize, rmsNormEps), threads, device),
      ),
      (session) => session.release(),
    );
    return new RidgeProducts(hiddenSize, gram!, map!);
  }

  /** N^T N of the states before, [hidden, hidden]. */
  async gram(before: Float32Array): Promise<Float32Array> {
    const [gram] = await run(this.gramSession, { a: this.states(before) });
    return gram!;
  }

  /**
   * The map from the states before to the states after.
   * @param inverse (N^T N + lambda 1)^-1.
   */
  async map(
    before: Float32Array,
    after: Float32Array,
    inverse: Float32Array,
  ): Promise<{ readonly weight: Float32Array; readonly bias: Float32Array }> {
    const [weight, bias] = await run(this.mapSession, {
      a: this.states(before),
      b: this.states(after),
      inverse: this.states(inverse),
    });
    return { weight: weight!, bias: bias! };
  }

  /** Frees the sessions. */
  async close(): Promise<void> {
    await this.gramSession.release();
    await this.mapSession.release();
  }

  private states(data: Float32Array): Tensor {
    return new Tensor('float32', data, [data.length / this.hiddenSize, this.hiddenSize]);
  }
}

async function run(session: InferenceSession, feeds: Record<string, Tensor>) {
  const outputs = await session.run(feeds);
  return session.outputNames.map((name) => {
    const data = outputs[name]?.data;
    if (!(data instanceof Float32Array)) throw new TypeError('the graph returned no float tensor');
    return data;
  });
}
