import { cpuModel } from '../engine/cores.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { checkProfileFits } from '../profile/fit.js';
import { readProfile } from '../profile/profile.js';
import type { Profile } from '../profile/schema.js';
import type { ExitCosts } from './cost-exit.js';
import type { DraftExit } from './draft-exit.js';
import type { Method, MethodName } from './method.js';

/** A profile that belongs to a model. */
export interface FittingProfile {
  readonly profile: Profile;
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
  return { profile, warnings: checkProfileFits(profile, target, file) };
}

/**
 * What a profile decodes with: the method that its search found fastest, which is autoregressive decoding where none gained.
 * Where it stores costs, drafting falls back to autoregressive decoding while they say that it loses: outputs are the same, a
 * profile used on text that it does not suit costs little, and where it gains the fall-back rarely sets in.
 * @param name another method than the profile's, with its mask, rule and costs.
 * @throws InputError as {@link profileExit} does.
 */
export function profileMethod(
  profile: Profile,
  name: MethodName = profile.method ?? 'skip',
): Method {
  if (name === 'autoregressive') return { name };
  const costs = profileCosts(profile);
  if (name === 'lookup') return { name, ...(costs && { costs }) };
  return {
    name,
    mask: { attention: profile.skip_attention, mlp: profile.skip_mlp },
    draftLength: profile.draft.draft_length,
    exit: profileExit(profile),
    ...(costs && { fallback: costs }),
  };
}

/** @throws InputError for the rule `cost` without costs, which no profile from a file has. */
export function profileExit(profile: Profile): DraftExit {
  const { draft_exit: exit, threshold } = profile.draft;
  if (exit === 'fixed') return { exit };
  if (exit !== 'cost') return { exit, threshold };
  const costs = profileCosts(profile);
  if (costs) return { exit, costs };
  throw new InputError(
    'The profile\'s draft_exit is "cost", but it has no draft.costs; search again, or choose another draft exit.',
  );
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
