import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { bridgeMapGraph } from '../graph/bridge-map.js';
import type { Bridge } from '../profile/draft-plan.js';
import type { Engine } from './engine.js';
import { createSession } from './session.js';

/** Bridges with memory on hidden states of the caller's: what they would make of the positions of a text. */
export class BridgeMap {
  private constructor(
    private readonly hiddenSize: number,
    private readonly session: InferenceSession,
  ) {}

  /** Close it after use. */
  static async load({ config, threads, device }: Engine): Promise<BridgeMap> {
    const session = await createSession(bridgeMapGraph(config), threads, device);
    return new BridgeMap(config.hiddenSize, session);
  }

  /**
   * @param bridge between the compiled model's hidden states.
   * @param before states before the run, [positions, hidden]. @param memory rmsnorm of what each position's predecessor has behind it.
   * @returns rmsnorm of the states behind it, a fresh array.
   */
  async run(
    { weight, memory: memoryWeight, bias }: Bridge,
    before: Float32Array,
    memory: Float32Array,
  ): Promise<Float32Array> {
    if (!memoryWeight) throw new TypeError('a bridge without memory');
    const tensor = (data: Float32Array) =>
      new Tensor('float32', data, [data.length / this.hiddenSize, this.hiddenSize]);
    const outputs = await this.session.run({
      x: tensor(before),
      memory: tensor(memory),
      weight: tensor(weight),
      memory_weight: tensor(memoryWeight),
      bias: tensor(bias),
    });
    const data = outputs[this.session.outputNames[0]!]?.data;
    if (!(data instanceof Float32Array)) throw new TypeError('the graph returned no float tensor');
    return data;
  }

  /** Frees the session. */
  close(): Promise<void> {
    return this.session.release();
  }
}
