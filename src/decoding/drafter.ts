import type { Engine } from '../engine/engine.js';
import type { KvCache } from '../engine/kv-cache.js';
import type { Coupling } from './coupling.js';

/** A draft in the making; buffers are used again in every round. */
export interface Draft {
  length: number;
  /** Ids of the proposed tokens, [longest draft]. */
  readonly tokens: Int32Array;
  /** The draft's softmax probability of each; 1 where there is no distribution. */
  readonly confidences: Float64Array;
  /** Draft passes so far in this round. */
  passes: number;
}

/** Proposes what may come next, over one generation. */
export interface Drafter {
  /** The most tokens that `propose` ever writes. */
  readonly longest: number;
  /** Tokens that stay: the prompt, then what every round emitted. */
  keep(tokens: readonly number[]): void;
  /**
   * Fills `draft` with up to `limit` tokens that may follow `last`, the token at `position`, whose keys and values are
   * not in the cache yet. What it writes to the cache from `position` on is overwritten by the target pass.
   */
  propose(draft: Draft, last: number, position: number, limit: number): Promise<void>;
  /** What became of the draft. */
  verified(drafted: number, accepted: number): void;
  /** Gives back what the generation had open, draft passes say. */
  close(): Promise<void>;
}

/** The generation that a drafter drafts for. */
export interface DraftContext {
  readonly engine: Engine;
  /** Holds the full model's keys and values of everything before a round's position. */
  readonly cache: KvCache;
  readonly coupling: Coupling;
  /** Tokens after which the sequence ends. */
  readonly eos: ReadonlySet<number>;
  /** Stands for draft passes where a generation that has been is gone through once more (relearn.ts). */
  readonly recorded?: Drafter;
}
