import type { Profile } from './schema.js';

/** What two profiles differ in: a field by its path, and its value in each; undefined where one has not got it. */
export interface ProfileDifference {
  readonly field: string;
  readonly a: unknown;
  readonly b: unknown;
}

/** Fields that tell of a run, and differ between any two. */
const CIRCUMSTANCES = new Set(['provenance.created', 'provenance.command']);

/** Fields whose values differ, in the order of the file. Lists are compared as wholes, all else field by field. */
export function profileDifferences(a: Profile, b: Profile): ProfileDifference[] {
  return differences(a, b, '').filter(({ field }) => !CIRCUMSTANCES.has(field));
}

function differences(a: unknown, b: unknown, path: string): ProfileDifference[] {
  if (!isRecord(a) || !isRecord(b))
    return JSON.stringify(a) === JSON.stringify(b) ? [] : [{ field: path, a, b }];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differences(a[key], b[key], path ? `${path}.${key}` : key));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
