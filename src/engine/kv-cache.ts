import { createHash } from 'node:crypto';
import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { blockSize, pastName, tailName } from '../graph/attention.js';

type Feeds = Record<string, Tensor>;

/**
 * The keys and values of one sequence, one Float32Array for K and one for V per layer, laid out in blocks
 * [blocks, KV, B, D] (symbols of graph/attention.ts). The runtime reads the arrays in place; a pass returns only its new
 * rows, which `write` puts in. What lies beyond the current position is stale and masked, so rolling back to an earlier
 * position takes nothing but going on from there.
 */
export class KvCache {
  /** Positions that fit. */
  readonly capacity: number;
  /** Bytes of all layers. */
  readonly bytes: number;
  /** 2 l: keys of layer l, 2 l + 1: its values. */
  private readonly buffers: readonly Float32Array[];
  private readonly kvHeads: number;
  private readonly headDim: number;
  private readonly blockElements: number;
  // Tensors over the buffers, made again only when the current block changes.
  private full = -1;
  private readonly past: Feeds = {};
  private readonly tails = new Map<number, Feeds>();

  /** @param capacity positions wanted; rounded up to whole blocks. */
  constructor(config: ModelConfig, capacity: number) {
    this.kvHeads = config.kvHeads;
    this.headDim = config.headDim;
    this.blockElements = config.kvHeads * blockSize * config.headDim;
    const blocks = Math.ceil(capacity / blockSize);
    this.capacity = blocks * blockSize;
    this.buffers = Array.from(
      { length: 2 * config.layers },
      () => new Float32Array(blocks * this.blockElements),
    );
    this.bytes = this.buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
  }

  /**
   * Adds the inputs of every layer for a pass that starts in block `full` and touches `tailBlocks` blocks. A batch of full
   * blocks must not be empty: where there is none, block 0 stands in, masked.
   */
  feed(feeds: Feeds, full: number, tailBlocks: number): void {
    if (full !== this.full) {
      this.full = full;
      this.tails.clear();
      for (const [i, buffer] of this.buffers.entries()) {
        this.past[pastName(kindOf(i), i >> 1)] = this.blocks(buffer, 0, Math.max(1, full));
      }
    }
    let tail = this.tails.get(tailBlocks);
    if (!tail) {
      tail = {};
      for (const [i, buffer] of this.buffers.entries()) {
        tail[tailName(kindOf(i), i >> 1)] = this.blocks(buffer, full, tailBlocks);
      }
      this.tails.set(tailBlocks, tail);
    }
    Object.assign(feeds, this.past, tail);
  }

  /** Views of the first `count` blocks of every layer, as the inputs of its past. */
  leadingBlocks(count: number): Feeds {
    const names = this.buffers.map((buffer, i) => {
      return [pastName(kindOf(i), i >> 1), this.blocks(buffer, 0, count)] as const;
    });
    return Object.fromEntries(names);
  }

  /**
   * Puts the rows that a pass returned in place.
   * @param rows [2 KV * ran.length, count, D]: k then v of each layer that ran.
   * @param ran the layers whose attention ran, ascending.
   */
  write(rows: Float32Array, ran: readonly number[], position: number, count: number): void {
    const { kvHeads, headDim } = this;
    const block = Math.floor(position / blockSize);
    const slot = position % blockSize;
    const here = Math.min(count, blockSize - slot);
    let source = 0;
    for (const layer of ran) {
      for (let kind = 0; kind < 2; kind++) {
        const buffer = this.buffers[2 * layer + kind]!;
        for (let head = 0; head < kvHeads; head++) {
          // Rows of one head follow each other within a block; a pass of many rows may run over several blocks.
          let taken = here;
          buffer.set(
            rows.subarray(source, source + taken * headDim),
            ((block * kvHeads + head) * blockSize + slot) * headDim,
          );
          for (let next = block + 1; taken < count; next++) {
            const some = Math.min(count - taken, blockSize);
            buffer.set(
              rows.subarray(source + taken * headDim, source + (taken + some) * headDim),
              (next * kvHeads + head) * blockSize * headDim,
            );
            taken += some;
          }
          source += count * headDim;
        }
      }
    }
  }

  /** A digest of all keys and values, stale ones included, to tell whether a pass changed a bit of them. */
  digest(): string {
    const hash = createHash('sha1');
    for (const buffer of this.buffers) hash.update(new Uint8Array(buffer.buffer));
    return hash.digest('hex');
  }

  private blocks(buffer: Float32Array, first: number, count: number): Tensor {
    const { blockElements, kvHeads, headDim } = this;
    const view = buffer.subarray(first * blockElements, (first + count) * blockElements);
    return new Tensor('float32', view, [count, kvHeads, blockSize, headDim]);
  }
}

function kindOf(index: number): 'k' | 'v' {
  return index % 2 === 0 ? 'k' : 'v';
}
