import { createHash } from 'node:crypto';
import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { keyParts, pastName, segmentSize, tailName, valueParts } from '../graph/attention.js';
import { windowOf } from '../graph/layer-kinds.js';
import { lookedBack } from './token-inputs.js';

type Feeds = Record<string, Tensor>;

/** No hidden state is watched. */
const nothing: readonly number[] = [];

/** Room is made in steps of this many positions, so that a sequence can go on by a few without moving. */
const step = 32;

/**
 * The keys and values of one sequence, one Float32Array for K and one for V per layer: a row of zeros that every pass masks, then
 * a row [KV, D] for each position (symbols of graph/attention.ts). The runtime reads the arrays in place; a pass returns only its
 * new rows, which `write` puts in. What lies beyond the current position is stale and not read, so rolling back to an earlier
 * position takes nothing but going on from there.
 *
 * Beside them it keeps hidden states that drafts go on from (the memory of bridges, graph/bridge.ts), where somebody watches them.
 */
export class KvCache {
  /** Positions that fit. */
  readonly capacity: number;
  /** Bytes of all layers. */
  readonly bytes: number;
  /** 2 l: keys of layer l, 2 l + 1: its values. */
  private readonly buffers: readonly Float32Array[];
  private readonly rowElements: number;
  private readonly keyDims: readonly number[];
  private readonly tokenDims: readonly number[];
  private readonly valueDims: readonly number[];
  // Tensors over the buffers that only change with the segment.
  private segment = -1;
  private readonly past: Feeds = {};
  private readonly states = new Map<number, Float32Array>();
  private ends = nothing;

  /** @param capacity positions wanted. */
  constructor(
    private readonly config: ModelConfig,
    capacity: number,
  ) {
    this.capacity = step * Math.ceil(capacity / step);
    const { kvHeads, headDim, layers } = config;
    this.rowElements = kvHeads * headDim;
    this.keyDims = [kvHeads, keyParts(config), headDim / keyParts(config)];
    this.tokenDims = [kvHeads, headDim];
    this.valueDims = [kvHeads, valueParts(config), headDim / valueParts(config)];
    this.buffers = Array.from(
      { length: 2 * layers },
      () => new Float32Array((1 + this.capacity) * this.rowElements),
    );
    this.bytes = this.buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
  }

  /** Adds the inputs of every layer for a pass that starts at `position`. */
  feed(feeds: Feeds, position: number): void {
    const rows = 1 + position;
    const past = pastRows(position);
    if (this.segment !== past) {
      this.segment = past;
      for (const [layer, values] of this.values())
        this.past[pastName('v', layer)] = this.view(values, 0, past, this.valueDims);
    }
    Object.assign(feeds, this.past);
    for (const [layer, values] of this.values()) {
      const keys = this.buffers[2 * layer]!;
      feeds[pastName('k', layer)] = this.view(keys, 0, rows, this.keyDims);
      feeds[tailName(layer)] = this.view(values, past, rows, this.valueDims);
    }
  }

  /** Adds the inputs of some layers for a pass of one token in a draft (graph/single-token.ts). */
  feedToken(feeds: Feeds, position: number, layers: readonly number[]): void {
    for (const layer of layers) {
      const first = 1 + position - lookedBack(position, windowOf(this.config, layer));
      for (const [i, kind] of (['k', 'v'] as const).entries())
        feeds[pastName(kind, layer)] = this.view(
          this.buffers[2 * layer + i]!,
          first,
          1 + position,
          this.tokenDims,
        );
    }
  }

  /**
   * Puts the rows that a pass returned in place.
   * @param rows [2 given * ran.length, KV, D]: k then v of each layer that ran.
   * @param given tokens that the pass had, of which the first `count` are kept.
   * @param ran the layers whose attention ran, ascending.
   */
  write(
    rows: Float32Array,
    ran: readonly number[],
    position: number,
    count: number,
    given = count,
  ): void {
    const elements = count * this.rowElements;
    const at = (1 + position) * this.rowElements;
    let source = 0;
    for (const layer of ran) {
      for (const buffer of [this.buffers[2 * layer]!, this.buffers[2 * layer + 1]!]) {
        buffer.set(rows.subarray(source, source + elements), at);
        source += given * this.rowElements;
      }
    }
  }

  /** Sublayers before which hidden states are kept, see {@link watch}; the same array until others are watched. */
  get watched(): readonly number[] {
    return this.ends;
  }

  /**
   * From now on passes keep the hidden states before these sublayers, by position; 2 L is behind the last one. What earlier passes
   * had is not known: a draft may go on from a position that a pass has run over since.
   */
  watch(sublayers: readonly number[]): void {
    this.ends = sublayers.length > 0 ? sublayers : nothing;
    if (sublayers.length === 0) return;
    // Those of a method that comes back are kept; another's make room.
    for (const sublayer of this.states.keys())
      if (!sublayers.includes(sublayer)) this.states.delete(sublayer);
    const size = (1 + this.capacity) * this.config.hiddenSize;
    for (const sublayer of sublayers)
      if (!this.states.has(sublayer)) this.states.set(sublayer, new Float32Array(size));
  }

  /** The hidden state that each of `count` positions' predecessors has before a sublayer, [count, hidden]: zeros before the first. */
  statesBefore(sublayer: number, position: number, count: number): Tensor {
    const { hiddenSize } = this.config;
    const rows = this.statesOf(sublayer).subarray(
      position * hiddenSize,
      (position + count) * hiddenSize,
    );
    return new Tensor('float32', rows, [count, hiddenSize]);
  }

  /** Puts the hidden states in place that a pass had before a sublayer, [positions, hidden]. */
  writeStates(sublayer: number, states: Float32Array, position: number): void {
    this.statesOf(sublayer).set(states, (1 + position) * this.config.hiddenSize);
  }

  private statesOf(sublayer: number): Float32Array {
    const states = this.states.get(sublayer);
    if (!states) throw new TypeError(`nobody watches the states before sublayer ${sublayer}`);
    return states;
  }

  /** Copies the keys and values of another cache's first `count` positions. */
  copy(other: KvCache, count: number): void {
    for (const [i, buffer] of this.buffers.entries())
      buffer.set(other.buffers[i]!.subarray(0, (1 + count) * this.rowElements));
  }

  /** A digest of all keys and values, stale ones included, to tell whether a pass changed a bit of them. */
  digest(): string {
    const hash = createHash('sha1');
    for (const buffer of this.buffers) hash.update(new Uint8Array(buffer.buffer));
    return hash.digest('hex');
  }

  /** Layers and the buffers of their values. */
  private *values(): Generator<[number, Float32Array]> {
    for (let i = 1; i < this.buffers.length; i += 2) yield [i >> 1, this.buffers[i]!];
  }

  private view(buffer: Float32Array, first: number, end: number, dims: readonly number[]): Tensor {
    const { rowElements } = this;
    const rows = buffer.subarray(first * rowElements, end * rowElements);
    return new Tensor('float32', rows, [end - first, ...dims]);
  }
}

/** Rows before the segment of a position, the masked one included. */
export function pastRows(position: number): number {
  return 1 + position - (position % segmentSize);
}
