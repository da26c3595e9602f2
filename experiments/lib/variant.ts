import { loadDataset } from '../../src/datasets/load.js';
import type { ExitCosts } from '../../src/decoding/cost-exit.js';
import { decoderExit, overrideRule } from '../../src/decoding/draft-rule.js';
import { createMethod, type Method, needsMask } from '../../src/decoding/method.js';
import {
  type FittingProfile,
  profileCosts,
  profileRule,
} from '../../src/decoding/profile-method.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Model } from '../../src/engine/load-model.js';
import { tokenizePrompts } from '../../src/evaluation/prompts.js';
import type { EvaluationSettings } from '../../src/evaluation/run.js';
import type { Precision } from '../../src/graph/quantise.js';
import type { DraftPlan } from '../../src/profile/draft-plan.js';
import { calibrateCosts } from '../../src/search/cost/calibrate.js';
import { costRule } from '../../src/search/cost-rule.js';
import { createLadder } from '../../src/search/ladder.js';
import { bestRule } from '../../src/search/replay/best-rule.js';
import type { Variant } from './definition.js';

/**
 * What a variant decodes with: the profile's mask and draft-length rule, but for the fields that it gives itself. Costs are
 * the profile's where it stores them for this precision, else calibrated.
 * @param profile null for a variant that drafts without a mask.
 */
export async function variantMethod(
  { method, draft_length, draft_exit, threshold, fallback }: Variant,
  fitting: Pick<FittingProfile, 'profile' | 'plan'> | null,
  precision: Precision,
  calibrate: (plan: DraftPlan) => Promise<ExitCosts>,
): Promise<Method> {
  if (!needsMask(method)) return createMethod(method, { drafting: null });
  if (!fitting) throw new TypeError(`${method} needs a profile`);
  const { profile, plan } = fitting;
  const stored = profile.precision === precision ? profileCosts(profile) : undefined;
  const costsOf = async () => stored ?? (await calibrate(plan));
  const rule = overrideRule(profileRule(profile), {
    exit: draft_exit,
    draftLength: draft_length,
    threshold,
  });
  const exit = decoderExit(rule, rule.exit === 'cost' ? await costsOf() : undefined);
  // The cost rule weighs every length that it knows the costs of, unless the variant says how many.
  const longest = exit.exit === 'cost' ? exit.costs.verify.length - 1 : rule.draftLength;
  const pauses = fallback ? { fallback: await costsOf() } : {};
  const drafting = { plan, draftLength: draft_length ?? longest, exit, ...pauses };
  return createMethod(method, { drafting });
}

/**
 * What the cost rule must know of a plan that no profile stores it for, found as the search finds it: passes are timed, and
 * the plan is replayed on the model's own continuations of calibration prompts.
 */
export async function calibrateExit(
  model: Model,
  plan: DraftPlan,
  signal: AbortSignal | undefined,
): Promise<ExitCosts> {
  const { engine } = model;
  const { prompts } = tokenizePrompts(model, [loadDataset('calibration')], 8);
  const settings: EvaluationSettings = {
    ...{ maxNewTokens: 48, repetitions: 1, warmup: 0, sampling: GREEDY, coupling: 'gumbel' },
  };
  const tokens = prompts.map((prompt) => prompt.tokens);
  const timed = { engine, prompts: tokens, settings, seed: 0, signal };
  const calibration = await calibrateCosts(timed);
  const promptsPerTrial = prompts.length;
  const replay = { engine, calibration, prompts, fitting: [], promptsPerTrial, settings, signal };
  const ladder = await createLadder(replay);
  try {
    const replayed = await ladder.replayPlan(plan);
    return costRule(replayed, bestRule(replayed).time.speedup).costs;
  } finally {
    // Its session's idle threads would disturb what is timed next.
    await ladder.close();
  }
}
