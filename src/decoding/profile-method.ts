import { cpuModel } from '../engine/cores.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { checkProfileFits } from '../profile/fit.js';
import { readProfile } from '../profile/profile.js';
import type { Profile } from '../profile/schema.js';
import type { DraftExit } from './draft-exit.js';
import type { Method } from './method.js';

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
 * What a profile decodes with: its mask and draft-length rule.
 * @throws InputError as {@link profileExit} does.
 */
export function profileMethod(profile: Profile): Method {
  return {
    name: 'skip',
    mask: { attention: profile.skip_attention, mlp: profile.skip_mlp },
    draftLength: profile.draft.draft_length,
    exit: profileExit(profile),
  };
}

/** @throws InputError for the rule `cost`, which the format has and this version does not. */
export function profileExit({ draft }: Profile): DraftExit {
  const { draft_exit: exit, threshold } = draft;
  if (exit === 'cost')
    throw new InputError(
      'The profile\'s draft_exit "cost" is not in this version; choose the draft exit fixed, threshold or adaptive.',
    );
  return exit === 'fixed' ? { exit } : { exit, threshold };
}
