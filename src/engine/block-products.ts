import { belowGraph, complementGraph } from '../graph/block-inverse.js';
import { matrix, ProductSession } from './product-session.js';

/** The products of an inverse factor by blocks (graph/block-inverse.ts, which has the symbols). Matrices are row by row. */
export class BlockProducts {
  private constructor(
    private readonly sessions: Readonly<Record<'complement' | 'below', ProductSession>>,
  ) {}

  /** Close it after use. */
  static async load(threads: number, device: string): Promise<BlockProducts> {
    const graphs = [complementGraph(), belowGraph()];
    const [complement, below] = await ProductSession.load(graphs, threads, device);
    return new BlockProducts({ complement: complement!, below: below! });
  }

  /** V and S. @param factor K_A. @param side C. @param corner B. */
  async complement(factor: Float32Array, side: Float32Array, corner: Float32Array) {
    const q = Math.sqrt(corner.length);
    const [mapped, complement] = await this.sessions.complement.run({
      factor: square(factor),
      side: matrix(side, q),
      corner: square(corner),
    });
    return { mapped: mapped!, complement: complement! };
  }

  /** -K_S V^T K_A, [q, p]. @param factor K_A. @param mapped V. @param corner K_S. */
  async below(factor: Float32Array, mapped: Float32Array, corner: Float32Array) {
    const q = Math.sqrt(corner.length);
    const [below] = await this.sessions.below.run({
      factor: square(factor),
      mapped: matrix(mapped, q),
      corner: square(corner),
    });
    return below!;
  }

  /** Frees the sessions. */
  async close(): Promise<void> {
    for (const session of Object.values(this.sessions)) await session.close();
  }
}

function square(values: Float32Array) {
  return matrix(values, Math.sqrt(values.length));
}
