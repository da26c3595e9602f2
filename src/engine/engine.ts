import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { segmentSize } from '../graph/attention.js';
import { memoryInput } from '../graph/bridge.js';
import type { CompiledModel } from '../graph/compile.js';
import { passOutputs, stateBefore } from '../graph/hidden-states.js';
import { mostProbable } from '../graph/model.js';
import { compiledBridge } from '../graph/rotated-bridge.js';
import type { Bridge } from '../profile/draft-plan.js';
import { maskToBits, type SkipMask } from '../profile/mask.js';
import { closeAll } from './all-or-none.js';
import { roundsSingleRowsOtherwise } from './cores.js';
import { checkDevice } from './device.js';
import type { DraftGraph } from './draft-graph.js';
import { DraftPool } from './draft-pool.js';
import { type Gates, gateFeeds } from './gates.js';
import type { HeadRows } from './head-rows.js';
import { KvCache } from './kv-cache.js';
import { type GraphForm, isDraft, loadSession, loadWatching } from './load-session.js';
import { PassFeeds, type Wanted } from './pass-feeds.js';
import { firstRow, floats, integers, joined } from './pass-outputs.js';
import type { ReplayInputs } from './replay-inputs.js';
import { Sublayers } from './sublayers.js';
import { Turns } from './turns.js';

/** Tokens of one prefill pass, at most: it ends where a segment does. */
export const prefillChunk = segmentSize;

/** Tokens from a position to the end of its segment, which no pass runs over. */
export function segmentRoom(position: number): number {
  return segmentSize - (position % segmentSize);
}

/** How to run a compiled model. */
export interface EngineOptions {
  /** Threads of the runtime's pool. */
  readonly threads: number;
  /** Execution provider (`cpu`, or what this platform's onnxruntime-node offers). */
  readonly device?: string;
  /** Default `plain`. */
  readonly form?: GraphForm;
}

/** Passes of a draft: `engine.forward` with these gates. Give it back with `release`. */
export interface DraftLease {
  readonly engine: Engine;
  readonly gates: Gates;
  release(): Promise<void>;
}

/** A loaded model: a session for the target, and one for each draft that is in use. */
export class Engine {
  /** The gates of the full model; of a draft's own session, those of the draft. */
  readonly target: Gates;
  private readonly inputs: PassFeeds;
  private readonly bridges = new WeakMap<Bridge, Bridge>();
  /** All passes share their feeds. */
  private readonly turns = new Turns();
  private readonly fetches: { readonly logits: string; readonly newKv: string };
  /** Of a draft: where it has memories. It returns no other hidden states. */
  private readonly memories: readonly number[] | null;
  /** Sublayers before which the session of the plain form returns hidden states. */
  private readonly declared = new Set<number>();
  /** Outputs that passes ask for, by the hidden states that are kept and the first of them. */
  private readonly wantedOutputs = new WeakMap<readonly number[], Map<string, string[]>>();
  private readonly drafts: DraftPool<Engine>;
  /** Rows of every product: two where a single one would not have the bits of several. The second is then the first again. */
  private readonly leastRows: 1 | 2;

  private constructor(
    readonly model: CompiledModel,
    readonly config: ModelConfig,
    readonly threads: number,
    readonly device: string,
    private readonly form: GraphForm,
    private session: InferenceSession,
    /** Of a draft that takes further words: where their rows are looked up. */
    readonly headRows: HeadRows | null,
  ) {
    this.target = this.gatesOf(isDraft(form) ? form.mask : { attention: [], mlp: [] }, []);
    this.leastRows =
      model.precision === 'int4' && !isDraft(form) && roundsSingleRowsOtherwise() ? 2 : 1;
    this.inputs = new PassFeeds(config, isDraft(form), this.leastRows);
    this.drafts = new DraftPool((form) => Engine.load(model, { device, threads, form }));
    const [logits, newKv] = session.outputNames as [string, string];
    this.fetches = { logits, newKv };
    this.memories = isDraft(form) ? form.memories : null;
  }

  /**
   * Loads a compiled model.
   * @throws InputError when the device is not there or the runtime refuses the model.
   */
  static async load(model: CompiledModel, options: EngineOptions): Promise<Engine> {
    const { threads, device = 'cpu', form = 'plain' } = options;
    checkDevice(device);
    const { session, headRows } = await loadSession(model, form, threads, device);
    return new Engine(model, model.config, threads, device, form, session, headRows);
  }

  /**
   * Another session over the same model, with gates: it runs the full model, or without its sublayers. Every session has weights
   * of its own in memory, so that a draft's that nobody uses is freed before.
   */
  loadGated(): Promise<Engine> {
    return this.loadAnother('gated');
  }

  /** The same with the weights that drafts have: it runs any draft that skips and bridges, for searches that try many. */
  loadGatedDrafts(): Promise<Engine> {
    return this.loadAnother('gated drafts');
  }

  private async loadAnother(form: GraphForm): Promise<Engine> {
    const { model, threads, device } = this;
    await this.drafts.closeIdle();
    return Engine.load(model, { threads, device, form });
  }

  /** A session that runs single sublayers on any hidden state, for calibration. */
  async loadSublayers(): Promise<Sublayers> {
    await this.drafts.closeIdle();
    return Sublayers.load(this.model, this.threads, this.device);
  }

  /**
   * Passes of a draft: on a gated engine its own passes with gates where the draft only skips, else those of a session that
   * has nothing but what runs. Loading one takes some time; it stays loaded until all have given it back.
   */
  async draft(graph: DraftGraph): Promise<DraftLease> {
    if (this.isGated && graph.transforms.length === 0)
      return { engine: this, gates: this.gates(graph.mask), release: async () => {} };
    const { engine, release } = await this.drafts.acquire(graph);
    return { engine, gates: engine.target, release };
  }

  /**
   * The gates of a draft that skips these sublayers.
   * @param bridges over runs of them.
   * @throws RangeError when the engine was loaded without gates and the mask skips something.
   */
  gates(mask: SkipMask, bridges: readonly Bridge[] = []): Gates {
    if (!this.isGated && mask.attention.length + mask.mlp.length > 0) {
      throw new RangeError('this engine was loaded without gates');
    }
    return this.gatesOf(mask, bridges);
  }

  private get isGated(): boolean {
    return this.form === 'gated' || this.form === 'gated drafts';
  }

  private gatesOf(mask: SkipMask, bridges: readonly Bridge[]): Gates {
    const { layers } = this.config;
    const run = maskToBits(mask, layers).map((skip) => 1 - skip);
    const attention = Array.from({ length: layers }, (_, l) => l).filter((l) => run[2 * l] === 1);
    if (!this.isGated) {
      const none = { rows: new Float32Array(0), bias: new Float32Array(0) };
      return { feeds: this.headRows?.feeds(none) ?? {}, attention };
    }
    const compiled = bridges.map((bridge) => this.compiledBridge(bridge));
    return { feeds: gateFeeds(this.config, run, compiled), attention };
  }

  /** A bridge between the compiled model's hidden states. A search gives the same ones again and again. */
  compiledBridge(bridge: Bridge): Bridge {
    let compiled = this.bridges.get(bridge);
    if (!compiled) {
      compiled = compiledBridge(bridge, this.model);
      this.bridges.set(bridge, compiled);
    }
    return compiled;
  }

  /** Room for the keys and values of a sequence of up to `capacity` tokens. */
  createCache(capacity: number): KvCache {
    return new KvCache(this.config, Math.min(capacity, this.config.contextLength));
  }

  /**
   * One pass over new tokens at `position`, or one in every segment that they touch; the cache must hold everything before. The
   * keys and values of the sublayers that ran are written to the cache at these positions, as are the hidden states that it watches.
   * Of a draft with memories it must watch those.
   * @param wanted `all`: logits of every token, [tokens, vocabulary]; `last`: of the last one, [1, vocabulary].
   * @returns a fresh array.
   */
  async forward(
    cache: KvCache,
    tokens: ArrayLike<number>,
    position: number,
    gates: Gates,
    wanted: Wanted,
  ): Promise<Float32Array> {
    const { logits } = this.fetches;
    const rows = (await this.passes(cache, tokens, position, gates, wanted, logits)).map(floats);
    return wanted === 'last' ? rows.at(-1)! : joined(rows, Float32Array);
  }

  /** Whether {@link mostProbable} can be had: of the graph without gates. */
  get tellsMostProbable(): boolean {
    return this.form === 'plain';
  }

  /**
   * The same passes of the full model, of which only the most probable token after each of the given ones is told, [tokens], the lowest
   * id of equals: what `argmax` (decoding/sampling/greedy.ts) makes of the logits.
   */
  async mostProbable(
    cache: KvCache,
    tokens: ArrayLike<number>,
    position: number,
  ): Promise<Int32Array> {
    const ids = await this.passes(cache, tokens, position, this.target, 'all', mostProbable);
    return joined(ids.map(integers), Int32Array);
  }

  /** @param output that is wanted beside keys, values and states; @returns it, of every pass. */
  private async passes(
    cache: KvCache,
    tokens: ArrayLike<number>,
    position: number,
    gates: Gates,
    wanted: Wanted,
    output: string,
  ): Promise<(Tensor | undefined)[]> {
    const count = tokens.length;
    const room = isDraft(this.form) ? 1 : segmentRoom(position);
    if (count > room) {
      const ids = Array.from(tokens);
      const [now, later] = [ids.slice(0, room), ids.slice(room)];
      const first = await this.passes(cache, now, position, gates, wanted, output);
      const rest = await this.passes(cache, later, position + room, gates, wanted, output);
      return [...first, ...rest];
    }
    const kept = this.memories ?? cache.watched;
    const { leastRows } = this;
    const rows = count < leastRows ? [tokens[0]!, tokens[0]!] : tokens;
    const wantedRows = this.inputs.wantedRows(count, wanted);
    if (this.form === 'plain') await this.declare(kept);
    return this.turns.take(async () => {
      this.inputs.set(cache, rows, position, gates, wantedRows);
      for (const to of this.memories ?? [])
        this.inputs.feeds[memoryInput(to)] = cache.statesBefore(to, position, count);
      const names = this.outputsFor(kept, output);
      const outputs = await this.run(names);
      cache.write(
        floats(outputs[this.fetches.newKv]),
        gates.attention,
        position,
        count,
        rows.length,
      );
      for (const [i, sublayer] of kept.entries()) {
        const states = floats(outputs[names[passOutputs + i]!]);
        cache.writeStates(sublayer, states.subarray(0, count * this.config.hiddenSize), position);
      }
      const isDoubled = wantedRows.dims[0]! > (wanted === 'all' ? count : 1);
      return [isDoubled ? firstRow(outputs[output]) : outputs[output]];
    });
  }

  /**
   * The logits of every query of a window replay, [queries, vocabulary], a fresh array. No cache is written.
   * @param gates what is skipped and bridged (a gated engine's), for the queries alone: what they see of the past is as it was.
   * @param memories what bridges with memory see, by the end of their run: rmsnorm of a hidden state for each query, [queries, hidden].
   */
  async replay(
    inputs: ReplayInputs,
    gates: Gates,
    memories: ReadonlyMap<number, Float32Array> = none,
  ): Promise<Float32Array> {
    const outputs = await this.turns.take(() => {
      this.inputs.setReplay(inputs, gates, 'all', memories);
      return this.run([this.fetches.logits]);
    });
    return floats(outputs[this.fetches.logits]).subarray(0, inputs.count * this.config.vocabSize);
  }

  /**
   * The full model's hidden states h_0 .. h_2L at every query of a window replay, [queries, hidden] each; h_i is before sublayer i.
   * @throws TypeError when the engine was loaded without gates.
   */
  async hiddenStates(inputs: ReplayInputs): Promise<Float32Array[]> {
    if (this.form !== 'gated') throw new TypeError('this engine was loaded without gates');
    const { layers } = this.config;
    const names = Array.from({ length: 2 * layers + 1 }, (_, i) => stateBefore(i));
    const outputs = await this.turns.take(() => {
      // Nobody wants logits; one row is the least.
      this.inputs.setReplay(inputs, this.target, 'last', none);
      return this.run(names);
    });
    return names.map((name) => floats(outputs[name]));
  }

  /**
   * Runs the full model over `tokens` in chunks; returns the logits after the last one.
   * @param from position of the first token whose keys and values the cache does not hold yet; at least one token runs.
   */
  async prefill(cache: KvCache, tokens: ArrayLike<number>, from = 0): Promise<Float32Array> {
    const ids = Array.from(tokens);
    let logits: Float32Array = new Float32Array(0);
    for (let at = Math.min(from, ids.length - 1), end = 0; at < ids.length; at = end) {
      end = at + segmentRoom(at);
      logits = await this.forward(cache, ids.slice(at, end), at, this.target, 'last');
    }
    return logits;
  }

  /** Names of the outputs of a pass: the wanted one, keys and values, and the hidden states before some sublayers. */
  private outputsFor(kept: readonly number[], output: string): string[] {
    const known = this.wantedOutputs.get(kept) ?? new Map<string, string[]>();
    let names = known.get(output);
    if (!names) {
      names = [output, this.fetches.newKv, ...kept.map(stateBefore)];
      this.wantedOutputs.set(kept, known.set(output, names));
    }
    return names;
  }

  /** Frees the sessions. The engine cannot be used afterwards. */
  async close(): Promise<void> {
    await closeAll([this.drafts, this.headRows, { close: () => this.session.release() }]);
  }

  /**
   * Where the plain session does not return the hidden states before all of these sublayers, loads one in its place that also
   * returns those.
   */
  private async declare(sublayers: readonly number[]): Promise<void> {
    const isDeclared = (sublayer: number) => this.declared.has(sublayer);
    if (sublayers.every(isDeclared)) return;
    await this.turns.take(async () => {
      if (sublayers.every(isDeclared)) return;
      const all = new Set([...this.declared, ...sublayers]);
      const before = this.session;
      this.session = await loadWatching(this.model, all, this.threads, this.device);
      for (const sublayer of sublayers) this.declared.add(sublayer);
      await before.release();
    });
  }

  /** Runs the graph on the feeds, within a turn. */
  private run(fetches: string[]): Promise<InferenceSession.OnnxValueMapType> {
    return this.session.run(this.inputs.feeds, fetches);
  }
}

const none: ReadonlyMap<number, Float32Array> = new Map();
