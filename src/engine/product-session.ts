import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { allOrNone } from './all-or-none.js';
import { createSession } from './session.js';

/** A graph of float products (graph/product-graph.ts) to be run. */
export class ProductSession {
  private constructor(private readonly session: InferenceSession) {}

  /** Loads some graphs, their bytes or files, all or none. Close them after use. */
  static load(graphs: readonly (Uint8Array | string)[], threads: number, device: string) {
    const making = graphs.map(
      async (graph) => new ProductSession(await createSession(graph, threads, device)),
    );
    return allOrNone(making, (made) => made.close());
  }

  /** How many outputs the graph has. */
  get outputs(): number {
    return this.session.outputNames.length;
  }

  /** All outputs, in the graph's order. */
  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Float32Array[]> {
    const outputs = await this.session.run(feeds);
    return this.session.outputNames.map((name) => {
      const data = outputs[name]?.data;
      if (!(data instanceof Float32Array))
        throw new TypeError('the graph returned no float tensor');
      return data;
    });
  }

  /** Frees the session. */
  close(): Promise<void> {
    return this.session.release();
  }
}

/** A matrix to feed. @param values row by row. */
export function matrix(values: Float32Array, columns: number): Tensor {
  return new Tensor('float32', values, [values.length / columns, columns]);
}
