import type { ModelConfig } from '../checkpoint/model-config.js';
import { cpuModel } from '../engine/cores.js';
import { draftWeightsPath, readDraftWeights } from '../engine/draft-weights.js';
import type { Engine } from '../engine/engine.js';
import { type DraftPlan, skipPlan } from '../profile/draft-plan.js';
import { checkProfileFits } from '../profile/fit.js';
import { readProfile } from '../profile/profile.js';
import type { Profile } from '../profile/schema.js';
import type { ExitCosts } from './cost-exit.js';
import { type DraftRule, decoderExit } from './draft-rule.js';
import { createMethod, type ListedName, type Method, needsMask } from './method.js';

/** A profile that belongs to a model. */
export interface FittingProfile {
  readonly profile: Profile;
  /** What its drafts are made of: its mask, and what its file of draft weights holds. */
  readonly plan: DraftPlan;
  /** A sentence per circumstance that differs from those it was measured in: outputs stay exact, speedups may not hold. */
  readonly warnings: readonly string[];
}

/**
 * Reads a profile file and holds it against a loaded model.
 * @throws InputError when it cannot be read or belongs to another model.
 */
export function readFittingProfile(file: string, engine: Engine): FittingProfile {
  const profile = readProfile(file);
  const { weightsHash, precision } = engine.model;
  const { layers } = engine.config;
  const target = { weightsHash, layers, precision, threads: engine.threads, cpu: cpuModel() };
  const warnings = checkProfileFits(profile, target, file);
  return { profile, plan: readPlan(profile, file, engine.config), warnings };
}

function readPlan(profile: Profile, file: string, config: ModelConfig): DraftPlan {
  const plan = skipPlan({ attention: profile.skip_attention, mlp: profile.skip_mlp });
  const { draft_weights: weights, bridges = [], head_words: words = null } = profile;
  if (!weights) return plan;
  const { hiddenSize, vocabSize } = config;
  const shape = { bridges, words, hiddenSize, vocabSize };
  return {
    ...plan,
    ...readDraftWeights(draftWeightsPath(file, weights.file), weights.sha256, shape),
  };
}

/**
 * What a profile decodes with: the method that its search found fastest, which is autoregressive decoding where none gained.
 * Where it stores costs, drafting falls back to autoregressive decoding while they say that it loses: outputs are the same, a
 * profile used on text that it does not suit costs little, and where it gains the fall-back rarely sets in.
 * @param name another method than the profile's, with its plan, rule and costs.
 * @throws InputError as {@link decoderExit} does.
 */
export function profileMethod(
  { profile, plan }: Pick<FittingProfile, 'profile' | 'plan'>,
  name: ListedName = profile.method ?? 'skip',
): Method {
  const costs = profileCosts(profile);
  if (!needsMask(name)) return createMethod(name, { drafting: null, costs });
  const rule = profileRule(profile);
  const drafting = {
    plan,
    draftLength: rule.draftLength,
    exit: decoderExit(rule, costs),
    ...(costs && { fallback: costs }),
  };
  return createMethod(name, { drafting, costs });
}

/** The rule of a profile. */
export function profileRule({ draft }: Profile): DraftRule {
  return { exit: draft.draft_exit, draftLength: draft.draft_length, threshold: draft.threshold };
}

/** The costs that a profile stores; undefined where it has none. */
export function profileCosts({ draft: { costs } }: Profile): ExitCosts | undefined {
  if (!costs) return undefined;
  const { draft, verify, time_per_token, acceptance, next_acceptance } = costs;
  return {
    draft,
    verify,
    timePerToken: time_per_token,
    acceptance,
    nextAcceptance: next_acceptance,
  };
}
