import type { Tensor } from 'onnxruntime-node';
import { bridgeMapGraph, memoryBridgeGraph } from '../graph/bridge-map.js';
import type { Bridge } from '../profile/draft-plan.js';
import { closeAll } from './all-or-none.js';
import type { Engine } from './engine.js';
import { matrix, ProductSession } from './product-session.js';

/** What bridges make of hidden states of the caller's, [positions, hidden]. Bridges are between the compiled model's. */
export class BridgeMap {
  private constructor(
    private readonly hiddenSize: number,
    private readonly sessions: Readonly<Record<'plain' | 'memory', ProductSession>>,
  ) {}

  /** Close it after use. */
  static async load({ config, threads, device }: Engine): Promise<BridgeMap> {
    const graphs = [bridgeMapGraph(config), memoryBridgeGraph(config)];
    const [plain, memory] = await ProductSession.load(graphs, threads, device);
    return new BridgeMap(config.hiddenSize, { plain: plain!, memory: memory! });
  }

  /** The states behind a bridge without memory, a fresh array. */
  async behind(bridge: Bridge, before: Float32Array): Promise<Float32Array> {
    const [behind] = await this.sessions.plain.run(this.feeds(bridge, before));
    return behind!;
  }

  /**
   * rmsnorm of the states behind a bridge with memory, a fresh array.
   * @param memory rmsnorm of what each position's predecessor has there.
   */
  async remembered(
    bridge: Bridge,
    before: Float32Array,
    memory: Float32Array,
  ): Promise<Float32Array> {
    if (!bridge.memory) throw new TypeError('a bridge without memory');
    const [behind] = await this.sessions.memory.run({
      ...this.feeds(bridge, before),
      memory: matrix(memory, this.hiddenSize),
      memory_weight: matrix(bridge.memory, this.hiddenSize),
    });
    return behind!;
  }

  /** Frees the sessions. */
  close(): Promise<void> {
    return closeAll(Object.values(this.sessions));
  }

  private feeds({ weight, bias }: Bridge, before: Float32Array): Record<string, Tensor> {
    return {
      x: matrix(before, this.hiddenSize),
      weight: matrix(weight, this.hiddenSize),
      bias: matrix(bias, this.hiddenSize),
    };
  }
}
