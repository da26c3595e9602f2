import { existsSync } from 'node:fs';
import { profileCosts } from '../decoding/profile-method.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { AUTO_PROFILE, DEFAULT_PROFILE, type ServedProfile } from '../server/profiles/profiles.js';
import { isProfileMask, type MethodFlags, resolveMethod } from './method.js';

/** A `--profile` of `sspec serve`. */
export interface NamedFile {
  readonly name: string;
  readonly file: string;
}

/**
 * The profiles of `--profile FILE` and `--profile NAME=FILE`; one without a name is the default.
 * @throws InputError for names that are there twice, or mean something else.
 */
export function namedFiles(flags: readonly string[]): NamedFile[] {
  const files = flags.map((text): NamedFile => {
    const [, name, file] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || file === undefined || existsSync(text))
      return { name: DEFAULT_PROFILE, file: text };
    return { name, file };
  });
  for (const [i, { name, file }] of files.entries()) {
    if (name === AUTO_PROFILE)
      throw new InputError(
        `--profile ${name}=${file}: "${AUTO_PROFILE}" lets the server choose; use another name.`,
      );
    if (files.findIndex((one) => one.name === name) < i)
      throw new InputError(
        name === DEFAULT_PROFILE
          ? `--profile ${file} is the second without a name: write NAME=${file}.`
          : `--profile has ${name} twice: use different names.`,
      );
    if (name === DEFAULT_PROFILE && i > 0)
      throw new InputError(
        `--profile ${file} has no name but is not the first: write NAME=${file}, or put it first.`,
      );
  }
  return files;
}

/**
 * What requests may decode with: each profile with the other flags over it, or what these say without one.
 * @throws InputError as {@link resolveMethod} does.
 */
export function servedProfiles(
  flags: Omit<MethodFlags, 'profile'>,
  files: readonly NamedFile[],
  engine: Engine,
): { profiles: readonly ServedProfile[]; warnings: readonly string[] } {
  if (files.length === 0) {
    const { method, warnings } = resolveMethod(flags, engine);
    return { profiles: [{ name: DEFAULT_PROFILE, method, costs: null }], warnings };
  }
  const resolved = files.map(({ name, file }) => {
    const { method, profile, warnings } = resolveMethod({ ...flags, profile: file }, engine);
    // Stored costs are those of the profile's own mask.
    const costs = (isProfileMask(flags) && profile && profileCosts(profile)) || null;
    const told = files.length > 1 ? warnings.map((warning) => `${name}: ${warning}`) : warnings;
    return { served: { name, method, costs }, told };
  });
  return {
    profiles: resolved.map(({ served }) => served),
    warnings: resolved.flatMap(({ told }) => told),
  };
}
