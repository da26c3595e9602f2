import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { attentionInputs } from '../graph/attention.js';
import { hasMixedWindows } from '../graph/layer-kinds.js';
import { identityRow } from '../graph/rope.js';
import { columnInputs } from '../graph/single-token.js';

/** The inputs of passes of single tokens (graph/single-token.ts) that do not depend on weights or cache, made once. */
export class TokenInputs {
  readonly feeds: Readonly<Record<string, Tensor>>;
  private readonly id: Int32Array;
  private readonly rotary: Int32Array;
  private readonly columns: readonly { readonly counts: Int32Array; readonly window: number }[];
  private readonly rotatedHeads: number;

  constructor(config: ModelConfig) {
    const heads = config.heads + 2 * config.kvHeads;
    this.rotatedHeads = config.heads + config.kvHeads;
    const id = int64([1]);
    const rotary = int64([1, heads]);
    const row = identityRow(config);
    for (let head = this.rotatedHeads; head < heads; head++) rotary.halves[2 * head] = row;
    this.id = id.halves;
    this.rotary = rotary.halves;
    const window = config.slidingWindow ?? Number.POSITIVE_INFINITY;
    const kinds = hasMixedWindows(config)
      ? [
          { name: columnInputs.all, window: Number.POSITIVE_INFINITY },
          { name: columnInputs.windowed, window },
        ]
      : [{ name: columnInputs.all, window }];
    const columns = kinds.map(({ name, window }) => ({ name, window, ...int64([2]) }));
    for (const { halves } of columns) halves[2] = 1;
    this.columns = columns.map(({ halves, window }) => ({ counts: halves, window }));
    this.feeds = {
      token_ids: id.tensor,
      [attentionInputs.rotary]: rotary.tensor,
      ...Object.fromEntries(columns.map(({ name, tensor }) => [name, tensor])),
    };
  }

  /** Writes all inputs for a pass of one token. */
  set(token: number, position: number): void {
    this.id[0] = token;
    for (let head = 0; head < this.rotatedHeads; head++) this.rotary[2 * head] = position;
    for (const { counts, window } of this.columns) counts[0] = lookedBack(position, window);
  }
}

/** Positions before its own that a token sees in a layer of this window: at least one, since no kernel is promised to take none. */
export function lookedBack(position: number, window: number): number {
  return Math.min(position, Math.max(1, window - 1));
}

function int64(dims: number[]) {
  const data = new BigInt64Array(dims.reduce((product, size) => product * size));
  return { tensor: new Tensor('int64', data, dims), halves: new Int32Array(data.buffer) };
}
