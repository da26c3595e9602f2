/**
 * A profile on disk: its JSON file and, beside it, the file of draft weights that it names. That one's name has a part of its
 * hash, so that writing a new pair never spoils the old one: until the JSON is replaced the old pair is whole, and after it the new.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { draftWeightsHash, draftWeightsPath, encodeDraftWeights } from '../engine/draft-weights.js';
import { InputError } from '../errors.js';
import { isStream, replacedBy, writeFileAtomic } from '../files.js';
import type { DraftPlan } from '../profile/draft-plan.js';
import { readProfile, updateProfile, writeProfile } from '../profile/profile.js';
import type { Profile } from '../profile/schema.js';

/** A file of draft weights that is to be written. */
export interface DraftWeightsFile {
  readonly entry: NonNullable<Profile['draft_weights']>;
  readonly bytes: Uint8Array;
}

/** The file of a plan's draft weights beside a profile; null where it has nothing beside its mask. */
export function draftWeightsFile(plan: DraftPlan, profile: string): DraftWeightsFile | null {
  const bytes = encodeDraftWeights(plan);
  if (!bytes) return null;
  const sha256 = draftWeightsHash(bytes);
  const name = stem(replacedBy(profile));
  return { entry: { file: `${name}.${sha256.slice(0, 8)}.safetensors`, sha256 }, bytes };
}

/**
 * Writes a profile, its draft weights first; those of the profile that it replaces go, where no other profile beside it names them.
 * Of a link the file that it leads to is replaced, and the draft weights lie beside that.
 * @returns false where there is no place for the draft weights: beside a device or pipe there is none.
 * @throws InputError when a file cannot be written.
 */
export function saveProfile(path: string, profile: Profile, weights: Uint8Array | null): boolean {
  if (isStream(path)) {
    writeProfile(path, profile);
    return weights === null;
  }
  const file = replacedBy(path);
  const before = savedWeights(file);
  const now = weightsPath(file, profile);
  const isNew = now !== null && !existsSync(now);
  if (now !== null && weights) writeFileAtomic(now, weights);
  try {
    writeProfile(file, profile);
  } catch (error) {
    if (isNew) rmSync(now, { force: true });
    throw error;
  }
  if (before !== null && before !== now && isOwn(before, file) && !isNamedBeside(before, file))
    rmSync(before, { force: true });
  return true;
}

/** Whether a file of draft weights has a name that we give to those of this profile. */
function isOwn(weights: string, profile: string): boolean {
  const [own, name] = [stem(profile), basename(weights)];
  return name.startsWith(own) && /^\.[0-9a-f]{8}\.safetensors$/.test(name.slice(own.length));
}

/** Whether another profile in the folder, a copy say, names it. */
function isNamedBeside(weights: string, profile: string): boolean {
  const folder = dirname(profile);
  return readdirSync(folder)
    .filter((name) => extname(name) === '.json' && name !== basename(profile))
    .some((name) => savedWeights(join(folder, name)) === weights);
}

/** A profile's name without its extension. */
function stem(profile: string): string {
  return basename(profile, extname(profile));
}

/**
 * Sees to it that a file holds a profile, with its draft weights.
 * @param origin where the profile was first written: its draft weights are taken from there.
 * @returns false where they are lost.
 * @throws InputError when a file cannot be written.
 */
export function updateSaved(file: string, profile: Profile, origin: string): boolean {
  const { draft_weights: weights } = profile;
  if (!weights || isStream(file)) {
    if (isStream(file)) writeProfile(file, profile);
    else updateProfile(file, profile);
    return true;
  }
  const [own, first] = [file, origin].map((place) => {
    const bytes = readIfThere(draftWeightsPath(place, weights.file));
    return bytes && draftWeightsHash(bytes) === weights.sha256 ? bytes : null;
  });
  if (!own) {
    if (!first) return false;
    writeFileAtomic(join(dirname(replacedBy(file)), weights.file), first);
  }
  updateProfile(file, profile);
  return true;
}

function weightsPath(file: string, { draft_weights: weights }: Profile): string | null {
  return weights ? join(dirname(file), weights.file) : null;
}

/** The draft weights of the profile that a file holds; null where there are none. */
function savedWeights(file: string): string | null {
  try {
    return weightsPath(file, readProfile(file));
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

function readIfThere(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
