/** The skip program (skip-program.ts) on a model: hidden states of some of its own continuations, sublayers by their cost. */
import { BridgeMap } from '../../engine/bridge-map.js';
import type { Engine } from '../../engine/engine.js';
import type { Sublayers } from '../../engine/sublayers.js';
import type { Bridge, SkippedRun } from '../../profile/draft-plan.js';
import { type CostModel, priceDraft } from '../cost/cost-model.js';
import type { Reference } from '../replay/reference.js';
import { planSkips, type SkipPlan, type SublayerChain } from './skip-program.js';

/** No mask skips more than this share of the weight of all sublayers. */
const LARGEST_SHARE = 0.9;
/** Weights of an attention and of an MLP sublayer, for costs whose ratio is nearest. Small ones, for few states. */
const WEIGHTS = [
  [1, 1],
  [2, 3],
  [3, 2],
  [1, 2],
  [2, 1],
  [1, 3],
  [3, 1],
] as const;

/** Weight of a bridge: the smallest there is, half of the lighter kind of sublayer where that weighs two; none where it weighs no more. */
const bridgeWeight = (weights: readonly number[]) => Math.min(1, Math.min(...weights) - 1);

/** Hidden states of the queries of every reference, [queries, hidden] each. */
type Hidden = readonly Float32Array[];

/**
 * Masks by dynamic programming over the hidden states of references, from few skipped sublayers to many.
 * @param costs what sublayers cost, or null: then all count the same.
 * @param bridge what drafts have in place of a run, or undefined where they have nothing.
 * @param onStep told as sublayers are done; may throw to end.
 */
export async function planMasks(
  engine: Engine,
  references: readonly Reference[],
  costs: CostModel | null,
  bridge: ((run: SkippedRun) => Promise<Bridge>) | undefined,
  onStep: (done: number, total: number) => void,
): Promise<SkipPlan[]> {
  const bridges = bridge && (await bridgedStates(engine, bridge));
  const sublayers = await engine.loadSublayers().catch(async (error: unknown) => {
    await bridges?.close();
    throw error;
  });
  try {
    const plain = await hiddenStateChain(sublayers, references, engine.config.hiddenSize);
    const chain = { ...plain, ...(bridges && { skip: bridges.skip }) };
    const weights = sublayerWeights(engine.config.layers, costs);
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const started = bridges ? bridgeWeight(weights) : 0;
    return await planSkips(chain, weights, started, Math.floor(LARGEST_SHARE * all), onStep);
  } finally {
    await bridges?.close();
    await sublayers.close();
  }
}

/** Runs the full model's sublayers once, to compare with; then any. */
export async function hiddenStateChain(
  sublayers: Sublayers,
  references: readonly Reference[],
  hiddenSize: number,
): Promise<SublayerChain<Hidden>> {
  const run = async (sublayer: number, state: Hidden): Promise<Hidden> => {
    const next: Float32Array[] = [];
    for (const [r, { inputs }] of references.entries())
      next.push(await sublayers.run(sublayer, state[r]!, inputs));
    return next;
  };
  const start: Float32Array[] = [];
  for (const { inputs } of references) start.push(await sublayers.embed(inputs));
  const full: Hidden[] = [start];
  for (let i = 0; i < sublayers.count; i++) full.push(await run(i, full[i]!));
  return {
    sublayers: sublayers.count,
    start,
    run,
    skip: async (_, state) => state,
    similarity: (state, depth) => meanCosine(state, full[depth]!, hiddenSize),
  };
}

/** Bridges on hidden states. */
async function bridgedStates(engine: Engine, bridge: (run: SkippedRun) => Promise<Bridge>) {
  const map = await BridgeMap.load(engine);
  return {
    async skip(run: SkippedRun, state: Hidden): Promise<Hidden> {
      const compiled = engine.compiledBridge(await bridge(run));
      const next: Float32Array[] = [];
      for (const states of state) next.push(await map.behind(compiled, states));
      return next;
    },
    close: () => map.close(),
  };
}

/** Whole weights of all sublayers, by bit of a mask: what skipping one saves of a draft pass, next to the other kind. */
export function sublayerWeights(layers: number, costs: CostModel | null): number[] {
  const [attention, mlp] = costs ? kindWeights(costs) : WEIGHTS[0];
  return Array.from({ length: 2 * layers }, (_, bit) => (bit % 2 === 0 ? attention : mlp));
}

function kindWeights(costs: CostModel): readonly [number, number] {
  const pass = (attention: number, mlp: number): number =>
    priceDraft(costs, { attention, mlp, head: 1, bridges: 0 }, 0).pass;
  const ratio = (pass(1, 1) - pass(0, 1)) / (pass(1, 1) - pass(1, 0));
  // A fit to noisy times may find a kind of sublayer to cost nothing.
  if (!(ratio > 0 && ratio < Infinity)) return WEIGHTS[0];
  const distance = ([a, m]: readonly [number, number]) => Math.abs(Math.log(a / m / ratio));
  return WEIGHTS.reduce((best, pair) => (distance(pair) < distance(best) ? pair : best));
}

/** Mean over all rows of the cosine of the angle between a row of one and the same row of the other. */
function meanCosine(a: Hidden, b: Hidden, size: number): number {
  let sum = 0;
  let rows = 0;
  for (const [r, x] of a.entries()) {
    const y = b[r]!;
    for (let at = 0; at < x.length; at += size, rows++) {
      let product = 0;
      let xx = 0;
      let yy = 0;
      for (let i = at; i < at + size; i++) {
        product += x[i]! * y[i]!;
        xx += x[i]! * x[i]!;
        yy += y[i]! * y[i]!;
      }
      sum += product / Math.sqrt(xx * yy || 1);
    }
  }
  return sum / rows;
}
