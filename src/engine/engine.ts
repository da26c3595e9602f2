import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { blockSize } from '../graph/attention.js';
import type { CompiledModel } from '../graph/compile.js';
import { maskToBits, type SkipMask } from '../profile/mask.js';
import { KvCache } from './kv-cache.js';
import { PassInputs, tailBlocks } from './pass-inputs.js';

/** Tokens of one prefill pass. */
export const prefillChunk = blockSize;

/** Which sublayers run in a pass: the full model, or a draft. Made once per mask by `Engine.gates`. */
export interface Gates {
  /** bool [2 L], true where the sublayer runs. */
  readonly run: Tensor;
  /** Layers whose attention runs, ascending. */
  readonly attention: readonly number[];
}

/** How to run a compiled model. */
export interface EngineOptions {
  /** Threads of the runtime's pool. */
  readonly threads: number;
  /** Execution provider (`cpu`, or what this platform's onnxruntime-node offers). */
  readonly device?: string;
  /** false loads the graph without gates: faster, but it runs the full model only. Default true. */
  readonly gated?: boolean;
}

/** A loaded model: one session and one copy of the weights for the target and every draft. */
export class Engine {
  /** The gates of the full model. */
  readonly target: Gates;
  private readonly inputs = new Map<number, PassInputs>();
  private readonly wanted = new Map<number, Tensor>();
  private readonly feeds: Record<string, Tensor> = {};
  private readonly fetches: { readonly logits: string; readonly newKv: string };

  private constructor(
    readonly model: CompiledModel,
    readonly config: ModelConfig,
    readonly threads: number,
    readonly device: string,
    readonly gated: boolean,
    private readonly session: InferenceSession,
  ) {
    this.target = this.gates({ attention: [], mlp: [] });
    const [logits, newKv] = session.outputNames as [string, string];
    this.fetches = { logits, newKv };
  }

  /**
   * Loads a compiled model.
   * @throws InputError when the device is not there or the runtime refuses the model.
   */
  static async load(model: CompiledModel, options: EngineOptions): Promise<Engine> {
    const { device = 'cpu', gated = true } = options;
    const path = gated ? model.path : model.plainPath;
    const devices = listSupportedBackends().map((backend) => backend.name);
    if (!devices.includes(device)) {
      throw new InputError(
        `Device ${device} is not in this onnxruntime-node; it has ${devices.join(', ')}.`,
      );
    }
    try {
      const session = await InferenceSession.create(path, {
        executionProviders: [device],
        intraOpNumThreads: options.threads,
        logSeverityLevel: 3,
      });
      return new Engine(model, model.config, options.threads, device, gated, session);
    } catch (error) {
      throw new InputError(`The runtime cannot load ${path}: ${errorMessage(error)}`);
    }
  }

  /**
   * The gates of a draft that skips these sublayers.
   * @throws RangeError when the engine was loaded without gates and the mask skips something.
   */
  gates(mask: SkipMask): Gates {
    const { layers } = this.config;
    if (!this.gated && mask.attention.length + mask.mlp.length > 0) {
      throw new RangeError('this engine was loaded without gates');
    }
    const run = maskToBits(mask, layers).map((skip) => 1 - skip);
    return {
      run: new Tensor('bool', run, [2 * layers]),
      attention: Array.from({ length: layers }, (_, l) => l).filter((l) => run[2 * l] === 1),
    };
  }

  /** Room for the keys and values of a sequence of up to `capacity` tokens. */
  createCache(capacity: number): KvCache {
    return new KvCache(this.config, Math.min(capacity, this.config.contextLength));
  }

  /**
   * One pass over new tokens at `position`; the cache must hold everything before. The keys and values of the
   * sublayers that ran are written to the cache at these positions.
   * @param wanted `all`: logits of every token, [tokens, vocabulary]; `last`: of the last one, [1, vocabulary].
   * @returns a fresh array.
   */
  async forward(
    cache: KvCache,
    tokens: ArrayLike<number>,
    position: number,
    gates: Gates,
    wanted: 'all' | 'last',
  ): Promise<Float32Array> {
    const count = tokens.length;
    let inputs = this.inputs.get(count);
    if (!inputs) {
      inputs = new PassInputs(this.config, count);
      this.inputs.set(count, inputs);
    }
    inputs.set(tokens, position);
    const { feeds } = this;
    Object.assign(feeds, inputs.feeds);
    feeds.logit_rows = this.wantedRows(count, wanted);
    if (this.gated) feeds.run = gates.run;
    cache.feed(feeds, Math.floor(position / blockSize), tailBlocks(position, count));
    const outputs = await this.session.run(feeds);
    cache.write(floats(outputs[this.fetches.newKv]), gates.attention, position, count);
    return floats(outputs[this.fetches.logits]);
  }

  /** Runs the full model over `tokens` from position 0 in chunks; returns the logits after the last one. */
  async prefill(cache: KvCache, tokens: ArrayLike<number>): Promise<Float32Array> {
    const ids = Array.from(tokens);
    let logits: Float32Array = new Float32Array(0);
    for (let at = 0; at < ids.length; at += prefillChunk) {
      logits = await this.forward(cache, ids.slice(at, at + prefillChunk), at, this.target, 'last');
    }
    return logits;
  }

  /** Frees the session. The engine cannot be used afterwards. */
  async close(): Promise<void> {
    await this.session.release();
  }

  private wantedRows(count: number, wanted: 'all' | 'last'): Tensor {
    const key = wanted === 'all' ? count : -count;
    let rows = this.wanted.get(key);
    if (!rows) {
      const list = wanted === 'all' ? Array.from({ length: count }, (_, i) => i) : [count - 1];
      rows = new Tensor('int64', BigInt64Array.from(list, BigInt), [list.length]);
      this.wanted.set(key, rows);
    }
    return rows;
  }
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array))
    throw new TypeError('the graph returned no float tensor');
  return tensor.data;
}
