/**
 * What bridges with memory see in window replay (symbols of graph/bridge.ts).
 *
 * | symbol | meaning                                                                                              |
 * |--------|------------------------------------------------------------------------------------------------------|
 * | i      | a place of a reference (reference.ts), at offset k in its window                                     |
 * | m_i    | what it remembers: at k = 0 the full model's state of place i - 1 behind the run, else the draft's   |
 * | y_i^j  | what the bridge makes of place i as the j-th token of a draft: y_i^1 of the full model's m_i, y_i^j  |
 * |        | of y_(i-1)^(j-1)                                                                                     |
 *
 * m_i = y_(i-1)^k. The state before the run is taken to be the full model's, which it is in drafts that skip nothing before.
 */
import { BridgeMap } from '../../engine/bridge-map.js';
import type { Engine } from '../../engine/engine.js';
import { ReplayInputs } from '../../engine/replay-inputs.js';
import type { Bridge } from '../../profile/draft-plan.js';
import { unitNorm } from '../bridges/unit-norm.js';
import type { Reference } from './reference.js';

/** Bytes of hidden states that are kept; others are made again when they are wanted. */
const keptBytes = 512 * 2 ** 20;

/** rmsnorm(m) of every place, [N, hidden], by the end of the bridge's run. */
export type Memories = ReadonlyMap<number, Float32Array>;

/** What bridges see at the places of a reference. */
export interface ReplayMemories {
  /** Queries at the places as if a draft began at each. */
  readonly firstInputs: ReplayInputs;
  readonly first: Memories;
  /** At the offset that each place has in its window. */
  readonly inWindows: Memories;
}

interface Remembered {
  readonly firstInputs: ReplayInputs;
  /** The full model's h_0 .. h_2L of the position before each place, [N, hidden]. */
  readonly states: readonly Float32Array[];
}

/** Works memories out, and keeps the full model's hidden states that they are made of. */
export class MemorySource {
  private readonly known = new Map<Reference, Remembered>();
  private bytes = 0;

  private constructor(
    private readonly engine: Engine,
    private readonly map: BridgeMap,
  ) {}

  /**
   * Close it after use.
   * @param gated the full model with gates.
   * @param references whose states are made now, as many as are kept.
   */
  static async load(
    engine: Engine,
    gated: Engine,
    references: readonly Reference[],
  ): Promise<MemorySource> {
    const source = new MemorySource(engine, await BridgeMap.load(engine));
    for (const reference of references) {
      if (source.bytes >= keptBytes) break;
      await source.remember(gated, reference);
    }
    return source;
  }

  /** @param bridges of a plan; null where none of them has a memory. */
  async of(reference: Reference, bridges: readonly Bridge[]): Promise<ReplayMemories | null> {
    const remembering = bridges.filter(({ memory }) => memory);
    if (remembering.length === 0) return null;
    const { firstInputs, states } = await this.statesOf(reference);
    const first = new Map<number, Float32Array>();
    const inWindows = new Map<number, Float32Array>();
    for (const bridge of remembering) {
      const { from, to } = bridge;
      const { hiddenSize, rmsNormEps } = this.engine.config;
      const behind = unitNorm(states[to]!, hiddenSize, rmsNormEps);
      first.set(to, behind);
      const deepest = Math.max(...reference.offsets);
      const own = await this.depths(bridge, states[from]!, behind, deepest);
      inWindows.set(to, this.byOffset(reference.offsets, behind, own));
    }
    return { firstInputs, first, inWindows };
  }

  /** Frees the session. */
  close(): Promise<void> {
    return this.map.close();
  }

  /**
   * y^1 to y^deepest of every place but the last, normed.
   * @param before states before the run, a place earlier, as all that is kept.
   */
  private async depths(
    bridge: Bridge,
    before: Float32Array,
    behind: Float32Array,
    deepest: number,
  ): Promise<Float32Array[]> {
    const { hiddenSize: d } = this.engine.config;
    const compiled = this.engine.compiledBridge(bridge);
    const x = before.subarray(d);
    const made: Float32Array[] = [];
    let memory = behind.slice(0, x.length);
    for (let depth = 1; depth <= deepest; depth++) {
      const y = await this.map.remembered(compiled, x, memory);
      made.push(y);
      memory = memory.slice();
      memory.set(y.subarray(0, y.length - d), d);
    }
    return made;
  }

  private byOffset(
    offsets: Int32Array,
    behind: Float32Array,
    own: readonly Float32Array[],
  ): Float32Array {
    const { hiddenSize: d } = this.engine.config;
    const rows = behind.slice();
    for (const [place, offset] of offsets.entries()) {
      if (offset === 0) continue;
      const y = own[offset - 1]!;
      rows.set(y.subarray((place - 1) * d, place * d), place * d);
    }
    return rows;
  }

  private async statesOf(reference: Reference): Promise<Remembered> {
    const known = this.known.get(reference);
    if (known) return known;
    const gated = await this.engine.loadGated();
    return this.remember(gated, reference).finally(() => gated.close());
  }

  private async remember(gated: Engine, reference: Reference): Promise<Remembered> {
    const { config } = this.engine;
    const { prompt, tokens, cache, position, inputs } = reference;
    const text = [...prompt, ...tokens].slice(0, position + inputs.count);
    const first = position - 1;
    const states = await gated.hiddenStates(
      new ReplayInputs(config, cache, {
        tokens: text.slice(first, first + inputs.count),
        first,
        starts: [first],
      }),
    );
    const made = {
      firstInputs: new ReplayInputs(config, cache, {
        tokens: text.slice(position),
        first: position,
        starts: text.slice(position).map((_, i) => position + i),
      }),
      states,
    };
    const bytes = states.length * states[0]!.byteLength;
    if (this.bytes + bytes <= keptBytes) {
      this.bytes += bytes;
      this.known.set(reference, made);
    }
    return made;
  }
}
