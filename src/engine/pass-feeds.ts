import { Tensor } from 'onnxruntime-node';
import type { ModelConfig } from '../checkpoint/model-config.js';
import { bridgeInputs } from '../graph/bridge.js';
import type { Gates } from './gates.js';
import type { KvCache } from './kv-cache.js';
import { PassInputs } from './pass-inputs.js';
import { matrix } from './product-session.js';
import type { ReplayInputs } from './replay-inputs.js';
import { TokenInputs } from './token-inputs.js';

/** Of which tokens of a pass logits are wanted. */
export type Wanted = 'all' | 'last';

/** All inputs of an engine's passes, made once for each number of tokens and written anew for every pass. */
export class PassFeeds {
  readonly feeds: Record<string, Tensor> = {};
  private readonly inputs = new Map<number, PassInputs>();
  private readonly wanted = new Map<number, Tensor>();
  private readonly token: TokenInputs | null;

  /**
   * @param ofDraft whether passes are of single tokens (graph/single-token.ts).
   * @param leastRows of every product.
   */
  constructor(
    private readonly config: ModelConfig,
    ofDraft: boolean,
    private readonly leastRows: 1 | 2,
  ) {
    this.token = ofDraft ? new TokenInputs(config) : null;
  }

  /**
   * Writes those of a pass over new tokens; the cache holds all before.
   * @param wantedRows the tokens whose logits are wanted, by their places in the pass.
   */
  set(
    cache: KvCache,
    tokens: ArrayLike<number>,
    position: number,
    gates: Gates,
    wantedRows: Tensor,
  ): void {
    const { feeds, token } = this;
    feeds.logit_rows = wantedRows;
    Object.assign(feeds, gates.feeds);
    if (token) {
      token.set(tokens[0]!, position);
      Object.assign(feeds, token.feeds);
      cache.feedToken(feeds, position, gates.attention);
      return;
    }
    let inputs = this.inputs.get(tokens.length);
    if (!inputs) {
      inputs = new PassInputs(this.config, tokens.length);
      this.inputs.set(tokens.length, inputs);
    }
    inputs.set(tokens, position);
    Object.assign(feeds, inputs.feeds);
    cache.feed(feeds, position);
  }

  /**
   * Writes those of a window replay.
   * @param memories what bridges with memory see, by the end of their run: rmsnorm of a hidden state for each query, [queries, hidden].
   */
  setReplay(
    inputs: ReplayInputs,
    gates: Gates,
    wanted: Wanted,
    memories: ReadonlyMap<number, Float32Array>,
  ): void {
    const { feeds } = this;
    Object.assign(feeds, inputs.feeds);
    feeds.logit_rows = this.wantedRows(inputs.count, wanted);
    Object.assign(feeds, gates.feeds);
    for (const [to, rows] of memories)
      feeds[bridgeInputs.memory(to - 1)] = matrix(rows, this.config.hiddenSize);
  }

  /** Which of so many tokens are wanted; a single one twice where products need two rows. */
  wantedRows(count: number, wanted: Wanted): Tensor {
    const key = wanted === 'all' ? count : -count;
    let rows = this.wanted.get(key);
    if (!rows) {
      const list = wanted === 'all' ? Array.from({ length: count }, (_, i) => i) : [count - 1];
      while (list.length < this.leastRows) list.push(list[0]!);
      rows = new Tensor('int64', BigInt64Array.from(list, BigInt), [list.length]);
      this.wanted.set(key, rows);
    }
    return rows;
  }
}
