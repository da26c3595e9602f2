import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { gramGraph, mapGraph, memoryGraph, memoryMapGraph } from '../graph/ridge.js';
import { matrix, ProductSession } from './product-session.js';

/** Which rows of states maps are fitted to, and the row of the position before each. */
export interface FittedRows {
  readonly rows: readonly number[];
  readonly past: readonly number[];
}

/** W and w0. */
export interface RidgeMap {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** The products of ridge regressions of hidden states (graph/ridge.ts, which has the symbols). States are [., hidden]. */
export class RidgeProducts {
  private constructor(
    private readonly hiddenSize: number,
    private readonly fitted: Readonly<Record<keyof FittedRows, Tensor>>,
    private readonly sessions: Readonly<
      Record<'gram' | 'map' | 'memory' | 'memoryMap', ProductSession>
    >,
  ) {}

  /** Close it after use. */
  static async load(
    { hiddenSize, rmsNormEps }: ModelConfig,
    { rows, past }: FittedRows,
    threads: number,
    device: string,
  ): Promise<RidgeProducts> {
    const graphs = [gramGraph, mapGraph, memoryGraph, memoryMapGraph].map((graph) =>
      graph(hiddenSize, rmsNormEps),
    );
    const [gram, map, memory, memoryMap] = await ProductSession.load(graphs, threads, device);
    return new RidgeProducts(
      hiddenSize,
      { rows: indices(rows), past: indices(past) },
      { gram: gram!, map: map!, memory: memory!, memoryMap: memoryMap! },
    );
  }

  /** G of the states before, [hidden, hidden]. */
  async gram(before: Float32Array): Promise<Float32Array> {
    const { rows } = this.fitted;
    const [gram] = await this.sessions.gram.run({ a: this.matrix(before), rows });
    return gram!;
  }

  /** The map from the states before to the states after. @param factor K. */
  async map(before: Float32Array, after: Float32Array, factor: Float32Array): Promise<RidgeMap> {
    const { rows } = this.fitted;
    const [weight, bias] = await this.sessions.map.run({
      ...{ a: this.matrix(before), b: this.matrix(after), rows },
      factor: this.matrix(factor),
    });
    return { weight: weight!, bias: bias! };
  }

  /**
   * The map from the states before, and the states after of the position before, to the states after.
   * @param factor K. @param factorOf K_S of S.
   */
  async memoryMap(
    before: Float32Array,
    after: Float32Array,
    factor: Float32Array,
    factorOf: (complement: Float32Array) => Promise<Float32Array>,
  ): Promise<RidgeMap & { readonly memory: Float32Array }> {
    const [complement, mapped, target, residual, mean, memoryMean, changeMean] =
      await this.sessions.memory.run({
        ...{ a: this.matrix(before), b: this.matrix(after), ...this.fitted },
        factor: this.matrix(factor),
      });
    const [weight, memory, bias] = await this.sessions.memoryMap.run({
      factor: this.matrix(factor),
      corner: this.matrix(await factorOf(complement!)),
      mapped: this.matrix(mapped!),
      target: this.matrix(target!),
      residual: this.matrix(residual!),
      mean: this.matrix(mean!),
      memory_mean: this.matrix(memoryMean!),
      change_mean: this.matrix(changeMean!),
    });
    return { weight: weight!, memory: memory!, bias: bias! };
  }

  /** Frees the sessions. */
  async close(): Promise<void> {
    for (const session of Object.values(this.sessions)) await session.close();
  }

  private matrix(data: Float32Array): Tensor {
    return matrix(data, this.hiddenSize);
  }
}

function indices(rows: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(rows, BigInt), [rows.length]);
}
