import { createMethod, METHODS, needsMask } from '../decoding/method.js';
import {
  type FittingProfile,
  profileMethod,
  readFittingProfile,
} from '../decoding/profile-method.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import type { NamedMethod } from '../evaluation/run.js';

/** What an evaluation measures, and what the user should know about it. */
export interface EvaluatedMethods {
  /** Besides autoregressive decoding. */
  readonly methods: readonly NamedMethod[];
  readonly profiles: readonly (Pick<FittingProfile, 'profile'> & { readonly file: string })[];
  readonly warnings: readonly string[];
}

/**
 * A profile has the mask of some methods, and the costs that lookup drafts by.
 * @throws InputError when `--methods` has one that needs a mask, and there is no profile, or a profile has no method to serve.
 */
export function checkMethods(asked: readonly string[] | undefined, files: readonly string[]): void {
  if (!asked) return;
  const all: readonly string[] = METHODS.filter(needsMask);
  const masked = asked.find((name) => all.includes(name));
  if (masked !== undefined && files.length === 0)
    throw new InputError(`--methods has ${masked}, which needs a mask; give --profile.`);
  if (files.length > 0 && asked.every((name) => name === 'autoregressive'))
    throw new InputError(
      '--profile is of use to methods that draft, but --methods has none; add one, or leave the profile out.',
    );
}

/**
 * The methods that were asked for, those with a mask with each profile; without `--methods` what each profile decodes with,
 * and prompt lookup beside it.
 * @throws InputError when a profile cannot be read or belongs to another model.
 */
export function evaluatedMethods(
  asked: readonly string[] | undefined,
  files: readonly string[],
  engine: Engine,
): EvaluatedMethods {
  const profiles = files.map((file) => ({ file, ...readFittingProfile(file, engine) }));
  const warnings = profiles.flatMap(({ file, warnings }) =>
    warnings.map((warning) => `${file}: ${warning}`),
  );
  const methods: NamedMethod[] = [];
  for (const name of METHODS) {
    if (name === 'autoregressive') continue;
    if (!needsMask(name)) {
      // Prompt lookup is what everybody has: others are held against it.
      const isUsual = name === 'lookup' || profiles.some(({ profile }) => profile.method === name);
      if (asked ? !asked.includes(name) : !isUsual) continue;
      // All profiles of one machine tell the same costs of its target passes.
      const [first] = profiles;
      methods.push({
        name,
        method: first ? profileMethod(first, name) : createMethod(name, { drafting: null }),
      });
      continue;
    }
    for (const { file, profile, plan } of profiles) {
      const isWanted = asked ? asked.includes(name) : (profile.method ?? 'skip') === name;
      if (isWanted)
        methods.push({ name, method: profileMethod({ profile, plan }, name), profile: file });
    }
  }
  if (!asked)
    for (const { file, profile } of profiles)
      if (profile.method === 'autoregressive')
        warnings.push(
          `${file} decodes autoregressively, as nothing gained in its search; --methods skip measures its mask.`,
        );
  return { methods, profiles: profiles.map(({ file, profile }) => ({ file, profile })), warnings };
}
