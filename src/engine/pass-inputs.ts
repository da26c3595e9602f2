import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { attentionInputs, blockSize, queryRowsPerToken } from '../graph/attention.js';
import { hasMixedWindows } from '../graph/layer-kinds.js';
import { identityRow } from '../graph/rope.js';

/** What a row may not look at: its exponential is exactly 0 after the maximum is taken away. */
const hidden = -1e9;

/** What the rows of a pass may look at, in layers of one kind. */
interface Bias {
  readonly name: 'bias' | 'windowedBias';
  /** Positions that a row sees, its own included. */
  readonly window: number;
  values: Float32Array;
}

function newBias(name: Bias['name'], window: number): Bias {
  return { name, window, values: new Float32Array(0) };
}

/**
 * The inputs of passes of S tokens that do not depend on weights or cache: ids, rotary positions, slots of the new
 * rows, attention bias, block counts. Buffers are made once per S and written again on every pass; 64-bit integers are
 * written as two 32-bit halves, so that no BigInt is made.
 */
export class PassInputs {
  readonly feeds: Record<string, Tensor>;
  private readonly ids: Int32Array;
  private readonly rotary: Int32Array;
  private readonly slots: Int32Array;
  private readonly counts: Int32Array;
  private readonly biases: readonly Bias[];
  private readonly rotatedHeads: number;
  private readonly rowsPerToken: number;
  private readonly kvHeads: number;

  constructor(
    config: ModelConfig,
    readonly tokens: number,
  ) {
    const heads = config.heads + 2 * config.kvHeads;
    this.kvHeads = config.kvHeads;
    this.rotatedHeads = config.heads + config.kvHeads;
    this.rowsPerToken = queryRowsPerToken(config);
    const window = config.slidingWindow ?? Number.POSITIVE_INFINITY;
    this.biases = hasMixedWindows(config)
      ? [newBias('bias', Number.POSITIVE_INFINITY), newBias('windowedBias', window)]
      : [newBias('bias', window)];
    const int64 = (size: number, dims: number[]) => {
      const data = new BigInt64Array(size);
      return { tensor: new Tensor('int64', data, dims), halves: new Int32Array(data.buffer) };
    };
    const ids = int64(tokens, [tokens]);
    const rotary = int64(heads * tokens, [heads, tokens]);
    const slots = int64(this.kvHeads * tokens * 3, [this.kvHeads, tokens, 3]);
    const counts = int64(2, [2]);
    this.ids = ids.halves;
    this.rotary = rotary.halves;
    this.slots = slots.halves;
    this.counts = counts.halves;
    const row = identityRow(config);
    for (let at = this.rotatedHeads * tokens; at < heads * tokens; at++) this.rotary[2 * at] = row;
    this.feeds = {
      token_ids: ids.tensor,
      [attentionInputs.rotary]: rotary.tensor,
      [attentionInputs.slots]: slots.tensor,
      [attentionInputs.blockCounts]: counts.tensor,
    };
  }

  /** Writes all inputs for a causal pass of these ids at `position`. */
  set(ids: ArrayLike<number>, position: number): void {
    const { tokens } = this;
    const full = Math.floor(position / blockSize);
    const slot = position % blockSize;
    const tail = tailBlocks(position, tokens);
    for (let i = 0; i < tokens; i++) this.ids[2 * i] = ids[i]!;
    for (let head = 0; head < this.rotatedHeads; head++) {
      for (let i = 0; i < tokens; i++) this.rotary[2 * (head * tokens + i)] = position + i;
    }
    for (let head = 0, at = 0; head < this.kvHeads; head++) {
      for (let i = 0; i < tokens; i++, at += 6) {
        this.slots[at] = Math.floor((slot + i) / blockSize);
        this.slots[at + 2] = head;
        this.slots[at + 4] = (slot + i) % blockSize;
      }
    }
    this.counts[0] = Math.max(1, full);
    this.counts[2] = tail;
    for (const bias of this.biases) this.setBias(bias, position, full, tail);
  }

  /**
   * Row r of a block belongs to token r mod S, which sees the positions up to its own, within the sliding window. Where
   * there is no full block, a masked one stands in its place.
   */
  private setBias(bias: Bias, position: number, full: number, tail: number): void {
    const blocks = Math.max(1, full) + tail;
    const { tokens } = this;
    const { name, window } = bias;
    const rows = this.rowsPerToken * tokens;
    const size = blocks * rows * blockSize;
    if (bias.values.length !== size) {
      bias.values = new Float32Array(size);
      this.feeds[attentionInputs[name]] = new Tensor('float32', bias.values, [
        blocks,
        1,
        rows,
        blockSize,
      ]);
    }
    const { values } = bias;
    const perBlock = rows * blockSize;
    const masked = full === 0 ? 1 : 0;
    if (masked > 0) values.fill(hidden, 0, perBlock);
    for (let block = masked; block < blocks; block++) {
      const first = (block - masked) * blockSize;
      const at = block * perBlock;
      if (first + blockSize - 1 <= position && position + tokens - 1 - first < window) {
        values.fill(0, at, at + perBlock);
        continue;
      }
      for (let token = 0; token < tokens; token++) {
        const last = position + token - first;
        const start = at + token * blockSize;
        for (let i = 0; i < blockSize; i++)
          values[start + i] = i <= last && last - i < window ? 0 : hidden;
      }
      for (let group = 1; group < this.rowsPerToken; group++) {
        values.copyWithin(at + group * tokens * blockSize, at, at + tokens * blockSize);
      }
    }
  }
}

/** Blocks that hold the positions from the start of the first new token's block to the last new token. */
export function tailBlocks(position: number, tokens: number): number {
  return Math.ceil(((position % blockSize) + tokens) / blockSize);
}
