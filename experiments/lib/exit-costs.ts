import { loadDataset } from '../../src/datasets/load.js';
import type { ExitCosts } from '../../src/decoding/cost-exit.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Model } from '../../src/engine/load-model.js';
import { tokenizePrompts } from '../../src/evaluation/prompts.js';
import { maskToBits } from '../../src/profile/mask.js';
import { calibrateCosts } from '../../src/search/cost/calibrate.js';
import { costRule } from '../../src/search/cost-rule.js';
import { createLadder, type Ladder } from '../../src/search/ladder.js';
import { bestRule } from '../../src/search/replay/best-rule.js';
import type { CostsOf } from './variant.js';

/** Calibration prompts of each bundled kind, and new tokens of each. */
const promptsPerKind = 8;
const newTokens = 48;

/** Calibrates while it is open; closed before anything is timed, for its session's threads would disturb that. */
export interface CostCalibration {
  readonly costsOf: CostsOf;
  close(): Promise<void>;
}

/**
 * What the cost rule must know of masks that no profile stores it for, found as the search finds it: passes are timed once,
 * and each mask is replayed on the model's own continuations of calibration prompts. Nothing is done before it is asked for.
 */
export function calibrateOnDemand(model: Model, signal: AbortSignal | undefined): CostCalibration {
  const { engine } = model;
  const known = new Map<string, Promise<ExitCosts>>();
  let ladder: Promise<Ladder> | undefined;
  const open = async () => {
    const { prompts } = tokenizePrompts(model, [loadDataset('calibration')], promptsPerKind);
    const settings = {
      ...{ maxNewTokens: newTokens, repetitions: 1, warmup: 0 },
      ...{ sampling: GREEDY, coupling: 'gumbel' as const },
    };
    const calibration = await calibrateCosts({
      engine,
      prompts: prompts.map(({ tokens }) => tokens),
      ...{ settings, seed: 0, signal },
    });
    const promptsPerTrial = prompts.length;
    return createLadder({ engine, calibration, prompts, promptsPerTrial, settings, signal });
  };
  const calibrate = async (mask: Uint8Array): Promise<ExitCosts> => {
    ladder ??= open();
    const replayed = await (await ladder).replay(mask);
    return costRule(replayed, bestRule(replayed).time.speedup).costs;
  };
  return {
    costsOf(mask) {
      const bits = maskToBits(mask, engine.config.layers);
      const key = bits.join('');
      const costs = known.get(key) ?? calibrate(bits);
      known.set(key, costs);
      return costs;
    },
    close: async () => (await ladder)?.close(),
  };
}
