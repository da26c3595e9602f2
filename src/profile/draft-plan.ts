import type { SkipMask } from './mask.js';

/**
 * A linear map in place of a run of skipped sublayers: x + rmsnorm(x) W + rmsnorm(m) U + w0, norms of unit weight, between hidden
 * states of the checkpoint (graph/rotated-bridge.ts). m is the state that the position before had where the run ends. Only drafts
 * have it, so however good it is, the output stays the model's.
 */
export interface Bridge {
  /** First sublayer of the run (2 l: attention of layer l, 2 l + 1: its MLP), and the one after its last. */
  readonly from: number;
  readonly to: number;
  /** W, [hidden, hidden], rows by input. */
  readonly weight: Float32Array;
  /** U, [hidden, hidden], rows by input; without it the bridge does not see m. */
  readonly memory?: Float32Array;
  /** w0, [hidden]. */
  readonly bias: Float32Array;
}

/** What a draft pass is made of: everything that a search chooses but when a draft ends. */
export interface DraftPlan {
  readonly mask: SkipMask;
  /** Each over a whole run of the mask, ascending; runs without one pass the hidden state on. */
  readonly bridges: readonly Bridge[];
  /** Token ids of the words that the draft's head has, ascending; null = all. */
  readonly words: Int32Array | null;
}

/** The plan that skips sublayers and does nothing else, as in the paper. */
export function skipPlan(mask: SkipMask): DraftPlan {
  return { mask, bridges: [], words: null };
}

/** A run of skipped sublayers. */
export type SkippedRun = Pick<Bridge, 'from' | 'to'>;

/** A bridge without its maps. */
export interface BridgeOutline extends SkippedRun {
  /** Whether it sees m. */
  readonly memory?: boolean | undefined;
}

/** What a file or a report tells of a bridge. */
export function bridgeOutline({ from, to, memory }: Bridge): BridgeOutline {
  return { from, to, ...(memory && { memory: true }) };
}

/** The longest runs of skipped sublayers of a mask, ascending. @param bits [2 L], 1 = skipped. */
export function skippedRuns(bits: Uint8Array): SkippedRun[] {
  const runs: SkippedRun[] = [];
  for (let at = 0; at < bits.length; at++) {
    if (bits[at] === 0) continue;
    const from = at;
    while (bits[at + 1] === 1) at++;
    runs.push({ from, to: at + 1 });
  }
  return runs;
}
