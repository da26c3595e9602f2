import type { Engine } from '../../engine/engine.js';
import type { Reference } from '../replay/reference.js';
import { type BridgeFitter, createBridgeFitter } from './fit.js';
import { statePasses } from './passes.js';
import { hiddenStates, stateRows } from './states.js';

/**
 * Positions whose states bridges of trials are fitted to, at most, which is most of a trial's time: it is enough to compare masks.
 * What goes on to the next rung is fitted to all.
 */
const ROUGH_ROWS = 4000;

/** Fitters of bridges to the texts of a search. */
export interface BridgeFits {
  readonly all: BridgeFitter;
  /** Fits to some of the texts; the same where there are few. */
  readonly rough: BridgeFitter;
  close(): Promise<void>;
}

/** Runs the full model over the texts, and fits to its hidden states. */
export async function createBridgeFits(
  engine: Engine,
  texts: readonly Reference[],
  onProgress: (done: number, total: number) => void,
): Promise<BridgeFits> {
  const { config } = engine;
  const passes = statePasses(engine, texts, stateRows(config));
  const states = await hiddenStates(engine, passes, onProgress);
  const all = await createBridgeFitter(engine, states, passes);
  const some = firstTexts(passes, ROUGH_ROWS);
  if (some.texts.length === passes.length) return { all, rough: all, close: () => all.close() };
  const ofSome = states.map((own) => own.subarray(0, some.rows * config.hiddenSize));
  const rough = await createBridgeFitter(engine, ofSome, some.texts);
  return {
    ...{ all, rough },
    async close() {
      await all.close();
      await rough.close();
    },
  };
}

/** The first texts of at most so many rows together, at least one. */
function firstTexts<T extends { readonly count: number }>(texts: readonly T[], most: number) {
  let rows = texts[0]?.count ?? 0;
  let end = 1;
  while (end < texts.length && rows + texts[end]!.count <= most) rows += texts[end++]!.count;
  return { texts: texts.slice(0, end), rows };
}
