/**
 * Bridges fitted in closed form on the full model's own hidden states, so that one set of states serves every mask.
 *
 * | symbol | shape  | meaning                                                                             |
 * |--------|--------|-------------------------------------------------------------------------------------|
 * | h_i    | [., d] | hidden states before sublayer i of the full model, at positions of some texts       |
 * | n      |        | positions that have one before them in their text: bridges are fitted to these      |
 * | N      | [n, d] | rmsnorm(h_from) there, its column means taken away                                  |
 * | lambda |        | the ridge, RIDGE n: a hundredth of the mean square of a normed feature              |
 *
 * A bridge over the sublayers from .. to - 1 is the ridge regression of h_to - h_from on N, or on N and, one position before,
 * rmsnorm(h_to) (graph/ridge.ts). The factor of the inverse depends on `from` alone and is kept; a bridge then costs a product of
 * n rows, and one with a memory four, and a factor of its own.
 */
import { allOrNone, closeAll } from '../../engine/all-or-none.js';
import { BlockProducts } from '../../engine/block-products.js';
import { roundedToHalf } from '../../engine/draft-weights.js';
import type { Engine } from '../../engine/engine.js';
import type { ReplayInputs } from '../../engine/replay-inputs.js';
import { type FittedRows, RidgeProducts } from '../../engine/ridge.js';
import { InputError } from '../../errors.js';
import { checkpointBridge } from '../../graph/rotated-bridge.js';
import type { Bridge, SkippedRun } from '../../profile/draft-plan.js';
import { inverseFactor } from './inverse-factor.js';
import { Latest } from './latest.js';

/**
 * lambda / n. A draft's own states differ from the full model's that the map is fitted to; a larger ridge keeps it from relying on
 * directions that hardly vary. Accepted tokens of SmolLM2 change by less than a hundredth between 0.003 and 0.03.
 */
const RIDGE = 0.01;

/**
 * Bytes of bridges, and of factors, that are kept: neighbouring masks have most of their runs in common. The engine has each
 * bridge once more, for the compiled model's states.
 */
const keptBytes = 256 * 2 ** 20;

/** Fits bridges. */
export interface BridgeFitter {
  /** The bridge over a run of sublayers. @param kind.memory whether it sees the state one position before. */
  fit(run: SkippedRun, kind: { readonly memory: boolean }): Promise<Bridge>;
  close(): Promise<void>;
}

/**
 * @param states h_0 .. h_2L of the compiled model, [., d] each.
 * @param texts how many positions each has; their states lie one text behind the other.
 */
export async function createBridgeFitter(
  engine: Engine,
  states: readonly Float32Array[],
  texts: readonly Pick<ReplayInputs, 'count'>[],
): Promise<BridgeFitter> {
  const { config, threads, device } = engine;
  const { hiddenSize: d } = config;
  const fitted = rowsWithPast(texts.map(({ count }) => count));
  const ridge = RIDGE * fitted.rows.length;
  const [products, blocks] = (await allOrNone<RidgeProducts | BlockProducts>(
    [RidgeProducts.load(config, fitted, threads, device), BlockProducts.load(threads, device)],
    (made) => made.close(),
  )) as [RidgeProducts, BlockProducts];
  const factors = new Latest<number, Float32Array>(keptBytes, ({ byteLength }) => byteLength);
  const bridges = new Latest<string, Bridge>(
    keptBytes,
    ({ weight, memory }) => weight.byteLength + (memory?.byteLength ?? 0),
  );
  const factorOf = (gram: Float32Array) => inverseFactor(gram, d, ridge, blocks);
  const factorAt = async (from: number): Promise<Float32Array> => {
    const known = factors.get(from);
    if (known) return known;
    const made = await factorOf(await products.gram(states[from]!));
    factors.add(from, made);
    return made;
  };
  const mapOver = async ({ from, to }: SkippedRun, memory: boolean) => {
    const [before, after] = [states[from]!, states[to]!];
    const factor = await factorAt(from);
    return memory
      ? products.memoryMap(before, after, factor, factorOf)
      : products.map(before, after, factor);
  };
  return {
    async fit(run, { memory }) {
      const { from, to } = run;
      const key = `${from}-${to}${memory ? ' with memory' : ''}`;
      const known = bridges.get(key);
      if (known) return known;
      const map: Omit<Bridge, 'from' | 'to'> = await mapOver(run, memory);
      const { weight, memory: past, bias } = checkpointBridge({ from, to, ...map }, engine.model);
      // As a profile will have it, so that what is measured is what is stored.
      const bridge: Bridge = {
        ...{ from, to, weight: roundedToHalf(weight) },
        ...(past && { memory: roundedToHalf(past) }),
        bias: roundedToHalf(bias),
      };
      bridges.add(key, bridge);
      return bridge;
    },
    close: () => closeAll([products, blocks]),
  };
}

/** Every position but the first of each text, and the one before it. */
function rowsWithPast(lengths: readonly number[]): FittedRows {
  const rows: number[] = [];
  let end = 0;
  for (const length of lengths) {
    for (let row = end + 1; row < end + length; row++) rows.push(row);
    end += length;
  }
  if (rows.length === 0)
    throw new InputError(
      'The texts that bridges are fitted to are too short: give longer prompts, or more new tokens.',
    );
  return { rows, past: rows.map((row) => row - 1) };
}
