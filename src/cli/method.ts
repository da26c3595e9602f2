import type { CouplingName } from '../decoding/coupling.js';
import { DEFAULT_DRAFT_LENGTH, DEFAULT_THRESHOLD, type DraftExit } from '../decoding/draft-exit.js';
import type { Method } from '../decoding/method.js';
import { profileExit, readFittingProfile } from '../decoding/profile-method.js';
import { checkSamplingOptions, type SamplingOptions } from '../decoding/sampling/options.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { parseLayerList, type SkipMask } from '../profile/mask.js';
import type { Profile } from '../profile/schema.js';
import type { EXITS, METHODS } from './flags.js';

/** Values of `methodFlags`. */
export interface MethodFlags {
  readonly profile?: string | undefined;
  readonly method?: (typeof METHODS)[number] | undefined;
  readonly 'draft-length'?: number | undefined;
  readonly 'draft-exit'?: (typeof EXITS)[number] | undefined;
  readonly threshold?: number | undefined;
  readonly 'skip-attention'?: string | undefined;
  readonly 'skip-mlp'?: string | undefined;
}

/** Values of `samplingFlags` and `seedFlag`. */
export interface SamplingFlags {
  readonly temperature: number;
  readonly 'top-k': number;
  readonly 'top-p': number;
  readonly 'min-p': number;
  readonly coupling: CouplingName;
  readonly seed: number;
}

/** A method, the profile behind it, and what the user should know about the two. */
export interface ResolvedMethod {
  readonly method: Method;
  /** null without --profile. */
  readonly profile: Profile | null;
  /** Sentences for stderr: what differs from the circumstances that the profile was measured in. */
  readonly warnings: readonly string[];
}

/** @throws InputError when one is out of its range. */
export function samplingOptions(flags: SamplingFlags): SamplingOptions {
  const { temperature, 'top-k': topK, 'top-p': topP, 'min-p': minP, seed } = flags;
  const options = { temperature, topK, topP, minP, seed };
  checkSamplingOptions(options);
  return options;
}

/** `--method`, else `skip` with a profile or a mask, else autoregressive. */
export function methodName(flags: MethodFlags): (typeof METHODS)[number] {
  const skips =
    flags.profile !== undefined ||
    flags['skip-attention'] !== undefined ||
    flags['skip-mlp'] !== undefined;
  return flags.method ?? (skips ? 'skip' : 'autoregressive');
}

/**
 * What to decode with: `--method`, else `skip` with a profile or a mask, else autoregressive. Flags go before what the
 * profile says. A profile may stand beside another method, so that the two compare by changing one flag.
 * @throws InputError when a profile cannot be read or belongs to another model, a mask names a layer that is not there,
 *   or flags contradict each other.
 */
export function resolveMethod(flags: MethodFlags, engine: Engine): ResolvedMethod {
  const { profile, warnings } =
    flags.profile === undefined
      ? { profile: null, warnings: [] }
      : readFittingProfile(flags.profile, engine);
  const name = methodName(flags);
  if (name === 'skip') {
    if (!profile && flags['skip-attention'] === undefined && flags['skip-mlp'] === undefined)
      throw new InputError(
        'There is no mask to draft with: give --profile, or --skip-attention and --skip-mlp.',
      );
    return { method: skipMethod(flags, profile, engine.config.layers), profile, warnings };
  }
  for (const flag of SKIP_ONLY)
    if (flags[flag] !== undefined)
      throw new InputError(
        `--${flag} belongs to the method skip, but the method is ${name}; give --profile or --skip-attention, or leave it out.`,
      );
  return { method: { name }, profile, warnings: [] };
}

const SKIP_ONLY = [
  'skip-attention',
  'skip-mlp',
  'draft-length',
  'draft-exit',
  'threshold',
] as const;

function skipMethod(flags: MethodFlags, profile: Profile | null, layers: number): Method {
  const chosen = (flag: 'skip-attention' | 'skip-mlp', stored: readonly number[] | undefined) => {
    const text = flags[flag];
    return text === undefined ? (stored ?? []) : parseLayerList(text, layers, `--${flag}`);
  };
  const mask: SkipMask = {
    attention: chosen('skip-attention', profile?.skip_attention),
    mlp: chosen('skip-mlp', profile?.skip_mlp),
  };
  const draftLength = flags['draft-length'] ?? profile?.draft.draft_length ?? DEFAULT_DRAFT_LENGTH;
  return { name: 'skip', mask, draftLength, exit: draftExit(flags, profile) };
}

function draftExit(flags: MethodFlags, profile: Profile | null): DraftExit {
  const exit = flags['draft-exit'] ?? (profile ? profileExit(profile).exit : 'adaptive');
  const { threshold } = flags;
  if (exit === 'fixed') {
    if (threshold === undefined) return { exit };
    throw new InputError('--threshold has no use with the draft exit "fixed"; leave one out.');
  }
  // A profile with a fixed length has no threshold to take over.
  const stored = profile?.draft.draft_exit === 'fixed' ? undefined : profile?.draft.threshold;
  const start = threshold ?? stored ?? DEFAULT_THRESHOLD;
  if (!(start >= 0 && start <= 1))
    throw new InputError(`--threshold is ${start}: give a number from 0 to 1.`);
  return { exit, threshold: start };
}
