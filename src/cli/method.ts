import type { CouplingName } from '../decoding/coupling.js';
import {
  type DraftExitName,
  type DraftRule,
  decoderExit,
  hasThreshold,
  overrideRule,
} from '../decoding/draft-rule.js';
import type { SkipDrafting } from '../decoding/drafters/kind.js';
import {
  createMethod,
  type ListedName,
  METHODS,
  type Method,
  needsMask,
} from '../decoding/method.js';
import {
  type FittingProfile,
  profileCosts,
  profileMethod,
  profileRule,
  readFittingProfile,
} from '../decoding/profile-method.js';
import { checkSamplingOptions, type SamplingOptions } from '../decoding/sampling/options.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { skipPlan } from '../profile/draft-plan.js';
import { parseLayerList, type SkipMask } from '../profile/mask.js';
import type { Profile } from '../profile/schema.js';

/** Values of `methodFlags`. */
export interface MethodFlags {
  readonly profile?: string | undefined;
  readonly method?: ListedName | undefined;
  readonly 'draft-length'?: number | undefined;
  readonly 'draft-exit'?: DraftExitName | undefined;
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

/** How the library names an option that is out of its range. */
const SAMPLING_OPTION = /^Sampling option (\w+)/;
const flagOf = (_: string, option: string) => `--${option.replaceAll('_', '-')}`;

/** @throws InputError that names the flag, when one is out of its range. */
export function samplingOptions(flags: SamplingFlags): SamplingOptions {
  const { temperature, 'top-k': topK, 'top-p': topP, 'min-p': minP, seed } = flags;
  const options = { temperature, topK, topP, minP, seed };
  try {
    checkSamplingOptions(options);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.message.replace(SAMPLING_OPTION, flagOf));
  }
  return options;
}

/** `--method`, else `skip` with a mask, else the profile's, else autoregressive. */
function methodName(flags: MethodFlags, profile: Profile | null): ListedName {
  const { method, 'skip-attention': attention, 'skip-mlp': mlp } = flags;
  if (method !== undefined) return method;
  if (attention !== undefined || mlp !== undefined) return 'skip';
  return profile ? (profile.method ?? 'skip') : 'autoregressive';
}

/**
 * What to decode with: `--method`, else `skip` with a mask, else what the profile decodes with, else autoregressive. Flags go
 * before what the profile says. A profile may stand beside another method, so that the two compare by changing one flag.
 * @throws InputError when a profile cannot be read or belongs to another model, a mask names a layer that is not there,
 *   or flags contradict each other.
 */
export function resolveMethod(flags: MethodFlags, engine: Engine): ResolvedMethod {
  const fitting = flags.profile === undefined ? null : readFittingProfile(flags.profile, engine);
  const { profile, warnings } = fitting ?? { profile: null, warnings: [] };
  const name = methodName(flags, profile);
  if (needsMask(name)) {
    if (!profile && flags['skip-attention'] === undefined && flags['skip-mlp'] === undefined)
      throw new InputError(
        'There is no mask to draft with: give --profile, or --skip-attention and --skip-mlp.',
      );
    const drafting = draftingOf(flags, fitting, engine.config.layers);
    return { method: createMethod(name, { drafting }), profile, warnings };
  }
  for (const flag of SKIP_ONLY)
    if (flags[flag] !== undefined)
      throw new InputError(
        `--${flag} belongs to the methods ${METHODS.filter(needsMask).join(' and ')}, but the method is ${name}; ${profile && flags.method === undefined ? `which is the profile's: give --method skip` : 'give --profile or --skip-attention'}, or leave it out.`,
      );
  const method = fitting ? profileMethod(fitting, name) : createMethod(name, { drafting: null });
  return { method, profile, warnings: name === 'autoregressive' ? [] : warnings };
}

const SKIP_ONLY = [
  'skip-attention',
  'skip-mlp',
  'draft-length',
  'draft-exit',
  'threshold',
] as const;

/** How to draft: with the flags' mask, else with the profile's plan. */
function draftingOf(
  flags: MethodFlags,
  fitting: FittingProfile | null,
  layers: number,
): SkipDrafting {
  const profile = fitting?.profile ?? null;
  const chosen = (flag: 'skip-attention' | 'skip-mlp', stored: readonly number[] | undefined) => {
    const text = flags[flag];
    return text === undefined ? (stored ?? []) : parseLayerList(text, layers, `--${flag}`);
  };
  const mask: SkipMask = {
    attention: chosen('skip-attention', profile?.skip_attention),
    mlp: chosen('skip-mlp', profile?.skip_mlp),
  };
  // Stored costs are those of the profile's own mask.
  const costs = profile && isProfileMask(flags) ? profileCosts(profile) : undefined;
  const rule = draftRule(flags, profile);
  if (rule.exit === 'cost' && !costs && !isProfileMask(flags))
    throw new InputError(
      'The draft exit "cost" needs the costs of passes, and a profile\'s are those of its own mask; leave --skip-attention and --skip-mlp out, or give another --draft-exit.',
    );
  const { draftLength } = rule;
  return {
    plan: fitting && isProfileMask(flags) ? fitting.plan : skipPlan(mask),
    draftLength,
    exit: decoderExit(rule, costs),
    ...(costs && { fallback: costs }),
  };
}

/** Whether no flag gives another mask than the profile's. */
export function isProfileMask(flags: MethodFlags): boolean {
  return flags['skip-attention'] === undefined && flags['skip-mlp'] === undefined;
}

/** The profile's rule, with what the flags ask for in place of its parts. */
function draftRule(flags: MethodFlags, profile: Profile | null): DraftRule {
  const { threshold, 'draft-exit': exit, 'draft-length': draftLength } = flags;
  const rule = overrideRule(profile && profileRule(profile), { exit, draftLength, threshold });
  if (threshold !== undefined && !hasThreshold(rule.exit))
    throw new InputError(
      `--threshold has no use with the draft exit "${rule.exit}"; leave one out.`,
    );
  if (!(rule.threshold >= 0 && rule.threshold <= 1))
    throw new InputError(`--threshold is ${rule.threshold}: give a number from 0 to 1.`);
  return rule;
}
