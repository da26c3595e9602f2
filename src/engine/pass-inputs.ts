import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import {
  attentionInputs,
  columnMultiple,
  keyParts,
  queryRowsPerToken,
} from '../graph/attention.js';
import { hasMixedWindows } from '../graph/layer-kinds.js';
import { identityRow } from '../graph/rope.js';
import { pastRows } from './kv-cache.js';

/** What a row may not look at: its exponential is exactly 0 after the maximum is taken away. */
export const hidden = -1e9;

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
 * The inputs of passes of S tokens that do not depend on weights or cache: ids, rotary positions, attention bias, counts of
 * columns. Buffers are made once per S and written again on every pass; 64-bit integers are written as two 32-bit halves, so that
 * no BigInt is made.
 */
export class PassInputs {
  readonly feeds: Record<string, Tensor>;
  private readonly ids: Int32Array;
  private readonly rotary: Int32Array;
  private readonly counts: Int32Array;
  private readonly paddings: readonly Tensor[];
  private readonly biases: readonly Bias[];
  private readonly heads: number;
  private readonly rotatedHeads: number;
  private readonly rowsPerToken: number;
  /** A row that is only there to make several may lie behind it. */
  private readonly lastPosition: number;

  constructor(
    config: ModelConfig,
    readonly tokens: number,
  ) {
    this.heads = config.heads + 2 * config.kvHeads;
    this.rotatedHeads = config.heads + config.kvHeads;
    this.rowsPerToken = queryRowsPerToken(config);
    this.lastPosition = config.contextLength - 1;
    const window = config.slidingWindow ?? Number.POSITIVE_INFINITY;
    this.biases = hasMixedWindows(config)
      ? [newBias('bias', Number.POSITIVE_INFINITY), newBias('windowedBias', window)]
      : [newBias('bias', window)];
    const int64 = (dims: number[]) => {
      const data = new BigInt64Array(dims.reduce((product, size) => product * size));
      return { tensor: new Tensor('int64', data, dims), halves: new Int32Array(data.buffer) };
    };
    const ids = int64([tokens]);
    const rotary = int64([tokens, this.heads]);
    const counts = int64([3]);
    this.ids = ids.halves;
    this.rotary = rotary.halves;
    this.counts = counts.halves;
    const row = identityRow(config);
    for (let i = 0; i < tokens; i++)
      for (let head = this.rotatedHeads; head < this.heads; head++)
        this.rotary[2 * (i * this.heads + head)] = row;
    this.paddings = scorePaddings(config, tokens);
    this.feeds = {
      token_ids: ids.tensor,
      [attentionInputs.rotary]: rotary.tensor,
      [attentionInputs.columns]: counts.tensor,
    };
  }

  /** Writes all inputs for a causal pass of these ids at `position`, all of one segment. */
  set(ids: ArrayLike<number>, position: number): void {
    const { tokens, heads } = this;
    for (let i = 0; i < tokens; i++) {
      this.ids[2 * i] = ids[i]!;
      for (let head = 0; head < this.rotatedHeads; head++)
        this.rotary[2 * (i * heads + head)] = Math.min(position + i, this.lastPosition);
    }
    const past = pastRows(position);
    const columns = 1 + position + tokens;
    const padding = missing(columns);
    this.counts[0] = past;
    this.counts[2] = columns - past;
    this.counts[4] = padding;
    this.feeds[attentionInputs.padding] = this.paddings[padding]!;
    for (const bias of this.biases) this.setBias(bias, position, columns + padding);
  }

  /** A token sees the positions up to its own, within the sliding window; column 0 is nobody's. */
  private setBias(bias: Bias, position: number, columns: number): void {
    const { tokens, rowsPerToken } = this;
    const rows = rowsPerToken * tokens;
    if (bias.values.length !== rows * columns) {
      bias.values = new Float32Array(rows * columns);
      const dims = [1, 1, rows, columns];
      this.feeds[attentionInputs[bias.name]] = new Tensor('float32', bias.values, dims);
    }
    const { values, window } = bias;
    for (let row = 0; row < rows; row++) {
      const own = position + Math.floor(row / rowsPerToken);
      const at = row * columns;
      const first = 1 + Math.max(0, own - window + 1);
      values.fill(hidden, at, at + first);
      values.fill(0, at + first, at + own + 2);
      values.fill(hidden, at + own + 2, at + columns);
    }
  }
}

/** Columns that are missing to a whole multiple. */
export function missing(columns: number): number {
  return (columnMultiple - (columns % columnMultiple)) % columnMultiple;
}

/** Zeros for every number of missing columns in passes of so many tokens. */
export function scorePaddings(config: ModelConfig, tokens: number): Tensor[] {
  const leading = [config.kvHeads, keyParts(config), queryRowsPerToken(config) * tokens];
  const perColumn = leading.reduce((product, size) => product * size);
  const zeros = new Float32Array(perColumn * (columnMultiple - 1));
  return Array.from({ length: columnMultiple }, (_, columns) => {
    const some = zeros.subarray(0, perColumn * columns);
    return new Tensor('float32', some, [...leading, columns]);
  });
}
