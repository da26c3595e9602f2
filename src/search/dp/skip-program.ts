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
 * | g(i, w) | hidden state after i sublayers of which some of weight w together were skipped                       |
 *
 *   g(i, w) = whichever of f_i(g(i-1, w)) and g(i-1, w - c_i) has the greater cosine similarity to x_i
 *
 * Keeping one state for each (i, w) is the approximation: the mask that is best so far need not be part of the best mask.
 * It is exact where what a sublayer adds does not depend on which others ran. One run of a sublayer for each (i, w).
 */

/** The sublayers of a model, run one at a time on hidden states of any form. */
export interface SublayerChain<State> {
  /** n. */
  readonly sublayers: number;
  /** x_0. */
  readonly start: State;
  /** f_i of a state, i from 0. */
  run(sublayer: number, state: State): Promise<State>;
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
}

/**
 * The best plan of every weight that can be made up, from 1 to `most`, ascending.
 * @param weights c, [n], whole numbers above 0.
 * @param onStep told as sublayers are done; may throw to end.
 */
export async function planSkips<State>(
  chain: SublayerChain<State>,
  weights: readonly number[],
  most: number,
  onStep: (done: number, total: number) => void = () => {},
): Promise<SkipPlan[]> {
  const n = chain.sublayers;
  const none: Cell<State> = { state: chain.start, similarity: 1, mask: new Uint8Array(n) };
  let cells = new Map([[0, none]]);
  for (let i = 0; i < n; i++) {
    onStep(i, n);
    const next = new Map<number, Cell<State>>();
    for (const [weight, cell] of cells) {
      const state = await chain.run(i, cell.state);
      next.set(weight, { state, similarity: chain.similarity(state, i + 1), mask: cell.mask });
    }
    for (const [weight, { state, mask }] of cells) {
      const after = weight + weights[i];
      const similarity = chain.similarity(state, i + 1);
      if (after > most || similarity <= (next.get(after)?.similarity ?? -Infinity)) continue;
      const skipping = mask.slice();
      skipping[i] = 1;
      next.set(after, { state, similarity, mask: skipping });
    }
    cells = next;
  }
  onStep(n, n);
  return [...cells]
    .filter(([weight]) => weight > 0)
    .sort(([a], [b]) => a - b)
    .map(([weight, { mask, similarity }]) => ({ mask, weight, similarity }));
}
