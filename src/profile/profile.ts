import { readFileSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { errorCode, errorMessage, writeFileAtomic } from '../files.js';
import { parseFields, parseJson } from '../json-file.js';
import { PROFILE_SCHEMA, PROFILE_VERSIONS, type Profile, profileSchema } from './schema.js';

/** Largest profile file that is read: thousands of Pareto masks of a hundred layers fit several times over. */
const MAX_PROFILE_BYTES = 16 * 2 ** 20;

const headSchema = z.object({ schema: z.literal(PROFILE_SCHEMA), version: z.int().min(1) });

/**
 * Reads the text of a profile.
 * @param file named in errors.
 * @throws InputError when it is not JSON, not a profile, of a version that this release cannot read, or has a field
 *   that does not fit.
 */
export function parseProfile(text: string, file: string): Profile {
  if (text.length > MAX_PROFILE_BYTES) throw tooLarge(file);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new InputError(`${file} is not a skip profile: it is not JSON (${errorMessage(error)}).`);
  }
  const head = headSchema.safeParse(value);
  if (head.success && !PROFILE_VERSIONS.some((version) => version === head.data.version)) {
    throw new InputError(
      `${file}: field "version" is ${head.data.version}, but this sspec reads versions ${PROFILE_VERSIONS.join(', ')}; update sspec or search again.`,
    );
  }
  return parseFields(profileSchema, value, file);
}

/**
 * Reads a profile file.
 * @throws InputError as {@link parseProfile} does, and when the file cannot be read or is larger than 16 MiB.
 */
export function readProfile(file: string): Profile {
  let text: string;
  try {
    if (statSync(file).size > MAX_PROFILE_BYTES) throw tooLarge(file);
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (errorCode(error) === 'ENOENT') throw new InputError(`There is no profile ${file}.`);
    throw new InputError(`Cannot read the profile ${file}: ${errorMessage(error)}.`);
  }
  return parseProfile(text, file);
}

/**
 * Writes a profile file atomically, after the same checks as reading makes.
 * @throws InputError when the file cannot be written.
 */
export function writeProfile(file: string, profile: Profile): void {
  writeFileAtomic(file, `${JSON.stringify(parseFields(profileSchema, profile, file), null, 2)}\n`);
}

/**
 * Writes a profile file, unless it already holds that profile.
 * @throws InputError when the file cannot be written.
 */
export function updateProfile(file: string, profile: Profile): void {
  if (!holds(file, profile)) writeProfile(file, profile);
}

function holds(file: string, profile: Profile): boolean {
  try {
    return isDeepStrictEqual(readProfile(file), parseFields(profileSchema, profile, file));
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function tooLarge(file: string): InputError {
  return new InputError(
    `${file} is larger than ${MAX_PROFILE_BYTES / 2 ** 20} MiB and cannot be a skip profile.`,
  );
}
