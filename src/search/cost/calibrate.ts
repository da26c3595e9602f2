import { median } from 'simple-statistics';
import type { ModelConfig } from '../../checkpoint/model-config.js';
import { MAX_DRAFT_LENGTH } from '../../optimise/candidate.js';
import { type Bridge, type DraftPlan, skippedRuns } from '../../profile/draft-plan.js';
import { bitsToMask } from '../../profile/mask.js';
import { Random } from '../../random.js';
import { type CostModel, fitCostModel, predictionErrors } from './cost-model.js';
import { withoutDrift } from './drift.js';
import { type TimingRequest, timePlans } from './timed-rounds.js';

/** Plans that are timed, from dense to sparse. */
const plans = 16;
/** Each is predicted by a model fitted on the plans of the other parts. */
const parts = 4;
const usualGenerations = 2;

/** A calibrated cost model and how well it predicts passes of plans that it was not fitted on. */
export interface Calibration {
  readonly model: CostModel;
  /** Median absolute relative errors of a round's draft passes and of its target pass. */
  readonly error: { readonly draft: number; readonly target: number };
}

/** What to calibrate on. */
export interface CalibrationRequest extends TimingRequest {
  readonly seed: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Fits a cost model on timed rounds of random plans, with drafts of every length, interleaved with autoregressive ones. */
export async function calibrateCosts(request: CalibrationRequest): Promise<Calibration> {
  const { engine, seed, onProgress } = request;
  const random = new Random(seed);
  const list = spreadPlans(engine.config, random);
  const pairs = await timePlans(request, {
    ...{ plans: list, usualGenerations, longestDraft: MAX_DRAFT_LENGTH, random },
    onPlan: (done) => onProgress?.(done, plans),
  });
  const steady = withoutDrift(pairs.flat());
  const timed = pairs.map((own, i) => steady.slice(i * own.length, (i + 1) * own.length).flat());
  const errors = { draft: [] as number[], target: [] as number[] };
  for (let part = 0; part < parts; part++) {
    const model = fitCostModel(timed.filter((_, i) => i % parts !== part).flat());
    const own = predictionErrors(model, timed.filter((_, i) => i % parts === part).flat());
    errors.draft.push(...own.draft);
    errors.target.push(...own.target);
  }
  return {
    model: fitCostModel(timed.flat()),
    error: { draft: median(errors.draft), target: median(errors.target) },
  };
}

/**
 * Plans whose shares of kept attention, of kept MLP sublayers, of words in the head and of runs with a bridge each run evenly
 * from few to all, paired at random (a Latin hypercube), so that they can be told apart; every other one has a memory. What a bridge
 * maps to does not matter to its cost: all are zero.
 */
function spreadPlans({ layers, hiddenSize, vocabSize }: ModelConfig, random: Random): DraftPlan[] {
  const shares = Array.from({ length: plans }, (_, i) => (i + 0.5) / plans);
  const shuffled = () => {
    const order = [...shares];
    random.shuffle(order);
    return order;
  };
  const [mlp, words, bridged] = [shuffled(), shuffled(), shuffled()] as const;
  const weight = new Float32Array(hiddenSize * hiddenSize);
  const bias = new Float32Array(hiddenSize);
  return shares.map((attention, i) => {
    const bits = new Uint8Array(2 * layers);
    for (const [kind, share] of [attention, mlp[i]!].entries()) {
      const order = Array.from({ length: layers }, (_, layer) => layer);
      random.shuffle(order);
      const skipped = layers - Math.round(share * layers);
      for (const layer of order.slice(0, skipped)) bits[2 * layer + kind] = 1;
    }
    const runs = skippedRuns(bits);
    const bridges: Bridge[] = runs
      .slice(0, Math.round(bridged[i]! * runs.length))
      .map((run, nth) => ({
        ...run,
        weight,
        ...(nth === 0 && i % 2 === 0 && { memory: weight }),
        bias,
      }));
    // A head of more than half of the words is the whole one, as in a search.
    const columns = words[i]! < 1 / 2 ? Math.max(1, Math.floor(words[i]! * vocabSize)) : null;
    const ids = columns === null ? null : Int32Array.from({ length: columns }, (_, id) => id);
    return { mask: bitsToMask(bits), bridges, words: ids };
  });
}
