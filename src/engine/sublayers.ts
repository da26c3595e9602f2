import { readFileSync, rmSync } from 'node:fs';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import type { CompiledModel } from '../graph/compile.js';
import { sublayerGraph, sublayerInput } from '../graph/sublayers.js';
import { transformGraph } from '../graph/transform.js';
import { weightsInBranches } from '../graph/weights-in-branches.js';
import type { ReplayInputs } from './replay-inputs.js';
import { createSession } from './session.js';
import { writeGraph } from './write-graph.js';

/**
 * The sublayers of a model, one at a time, on hidden states of the caller's: what a search needs that looks inside the model.
 * Queries, positions and what each may attend to are those of a window replay.
 */
export class Sublayers {
  /** 2L. */
  readonly count: number;
  readonly #session: InferenceSession;
  readonly #hiddenSize: number;
  /** Gates of one sublayer each; the last ones have all closed. */
  readonly #gates: readonly Tensor[];

  private constructor(config: ModelConfig, session: InferenceSession) {
    this.count = 2 * config.layers;
    this.#session = session;
    this.#hiddenSize = config.hiddenSize;
    this.#gates = Array.from({ length: this.count + 1 }, (_, open) => {
      const run = Uint8Array.from({ length: this.count }, (_, i) => (i === open ? 1 : 0));
      return new Tensor('bool', run, [this.count]);
    });
  }

  /**
   * Loads another session over a compiled model. Close it after use.
   * @throws InputError when the runtime refuses it.
   */
  static async load(model: CompiledModel, threads: number, device: string): Promise<Sublayers> {
    const { config } = model;
    const graph = sublayerGraph(readFileSync(model.path), config.hiddenSize);
    const path = writeGraph(model, transformGraph(graph, config, [weightsInBranches]));
    try {
      const session = await createSession(path, threads, device);
      return new Sublayers(config, session);
    } catch (error) {
      throw new InputError(`The runtime cannot load ${path}: ${errorMessage(error)}`);
    } finally {
      rmSync(path, { force: true });
    }
  }

  /** The embeddings of a replay's queries, [queries, hidden]. */
  embed(inputs: ReplayInputs): Promise<Float32Array> {
    return this.#pass(this.count, new Float32Array(inputs.count * this.#hiddenSize), inputs, 0);
  }

  /**
   * One sublayer, its norm and residual included.
   * @param sublayer 2 l: attention of layer l; 2 l + 1: its MLP.
   * @param hidden [queries, hidden].
   * @returns the hidden state after it, a fresh array.
   */
  run(sublayer: number, hidden: Float32Array, inputs: ReplayInputs): Promise<Float32Array> {
    return this.#pass(sublayer, hidden, inputs, 1);
  }

  /** Frees the session. */
  close(): Promise<void> {
    return this.#session.release();
  }

  async #pass(
    open: number,
    hidden: Float32Array,
    inputs: ReplayInputs,
    output: 0 | 1,
  ): Promise<Float32Array> {
    const name = this.#session.outputNames[output]!;
    const feeds: Record<string, Tensor> = {
      ...inputs.feeds,
      run: this.#gates[open]!,
      [sublayerInput]: new Tensor('float32', hidden, [inputs.count, this.#hiddenSize]),
    };
    const data = (await this.#session.run(feeds, [name]))[name]?.data;
    if (!(data instanceof Float32Array)) throw new TypeError('the graph returned no float tensor');
    return data;
  }
}
