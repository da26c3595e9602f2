/**
 * Which sublayers to skip, by dynamic programming over their depth (CLaSp, Chen et al. 2025; over attention and MLP
 * sublayers of unequal weight as in KnapSpec).
 *
 * | symbol  | meaning                                                                                              |
 * |---------|------------------------------------------------------------------------------------------------------|
 * | n       | sublayers, 2L                                                                                        |
 * | f_i     | sublayer i, its norm and residual included                                                           |
 * | x_i     | the full model's hidden state after i sublayers; x_0 the embedding                                   |
 * | c_i     | weight of sublayer i: what skipping it saves, in whole units                                         |
 * | b       | weight of what stands in place of a run of skipped sublayers; 0 where nothing does                   |
 * | s_j,i   | what stands in place of the sublayers j + 1 .. i, a bridge; without bridges the identity             |
 * | g(i, w) | hidden state after i sublayers of which some were skipped, of weight w less b for each run           |
 *
 *   g(i, w) = whichever of f_i(g(i-1, w)) and s_j,i(g(j, v)) has the greater cosine similarity to x_i
 *
 * where g(i-1, w - c_i) ends in a run from j + 1 on that g(j, v) stands before; else j = i - 1 and v = w - c_i + b.
 *
 * Keeping one state for each (i, w) is the approximation: the mask that is best so far need not be part of the best mask.
 * It is exact where what a sublayer adds does not depend on which others ran. One run of a sublayer for each (i, w).
 */

import type { SkippedRun } from '../../profile/draft-plan.js';

/** The sublayers of a model, run one at a time on hidden states of any form. */
export interface SublayerChain<State> {
  /** n. */
  readonly sublayers: number;
  /** x_0. */
  readonly start: State;
  /** f_i of a state, i from 0. */
  run(sublayer: number, state: State): Promise<State>;
  /** What the state before a run becomes where the run is skipped. */
  skip(run: SkippedRun, state: State): Promise<State>;
  /** Mean cosine similarity of a state to x_depth. */
  similarity(state: State, depth: number): number;
}

/** The best mask that the program found for one weight. */
export interface SkipPlan {
  /** [n] bits, 1 = skipped. */
  readonly mask: Uint8Array;
  /** Weight of what it skips. */
  readonly weight: number;
  /** Mean cosine similarity to the full model's hidden state after the last sublayer. */
  readonly similarity: number;
}

interface Cell<State> {
  readonly state: State;
  readonly similarity: number;
  readonly mask: Uint8Array;
  /** Where the run of skipped sublayers that it ends in begins, and the state there; null where it ends in none. */
  readonly run: { readonly from: number; readonly state: State } | null;
}

/**
 * The best plan of every weight that can be made up, from 1 to `most`, ascending.
 * @param weights c, [n], whole numbers above 0.
 * @param started b, a whole number, less than any of them.
 * @param onStep told as sublayers are done; may throw to end.
 */
export async function planSkips<State>(
  chain: SublayerChain<State>,
  weights: readonly number[],
  started: number,
  most: number,
  onStep: (done: number, total: number) => void = () => {},
): Promise<SkipPlan[]> {
  const n = chain.sublayers;
  const none: Cell<State> = {
    state: chain.start,
    similarity: 1,
    mask: new Uint8Array(n),
    run: null,
  };
  let cells = new Map([[0, none]]);
  for (let i = 0; i < n; i++) {
    onStep(i, n);
    const next = new Map<number, Cell<State>>();
    for (const [weight, cell] of cells) {
      const state = await chain.run(i, cell.state);
      const similarity = chain.similarity(state, i + 1);
      next.set(weight, { state, similarity, mask: cell.mask, run: null });
    }
    for (const [weight, { state: here, mask, run: open }] of cells) {
      const after = weight + weights[i] - (open ? 0 : started);
      if (after > most) continue;
      const run = open ?? { from: i, state: here };
      const state = await chain.skip({ from: run.from, to: i + 1 }, run.state);
      const similarity = chain.similarity(state, i + 1);
      if (similarity <= (next.get(after)?.similarity ?? -Infinity)) continue;
      const skipping = mask.slice();
      skipping[i] = 1;
      next.set(after, { state, similarity, mask: skipping, run });
    }
    cells = next;
  }
  onStep(n, n);
  return [...cells]
    .filter(([weight]) => weight > 0)
    .sort(([a], [b]) => a - b)
    .map(([weight, { mask, similarity }]) => ({ mask, weight, similarity }));
}
