import { basename } from 'node:path';
import { drafterKind, isDrafterName } from '../decoding/drafters/registry.js';
import type { EvaluationRow } from '../evaluation/summary.js';
import { withoutCommonPrefix } from './common-prefix.js';

type NamedRow = Pick<EvaluationRow, 'method' | 'profile'>;

/** How the methods of one evaluation are called. */
export interface MethodLabels {
  /** In tables and figures: different for different methods. */
  short(row: NamedRow): string;
  /** As the subject of a sentence. */
  sentence(row: NamedRow): string;
}

/** A method as the subject of a sentence. */
export function methodSentence(method: string): string {
  return isDrafterName(method) ? drafterKind(method).label : `Decoding with ${method}`;
}

/**
 * Names profiles only where several of one method were measured, with their folders only where the files' names agree, and without
 * what all of them begin with.
 */
export function methodLabels(rows: readonly NamedRow[]): MethodLabels {
  const profilesOf = (method: string) =>
    new Set(rows.filter((row) => row.method === method).flatMap(({ profile }) => profile ?? []));
  const profileName = ({ method, profile }: NamedRow): string | null => {
    const profiles = profilesOf(method);
    if (profile === null || profiles.size < 2) return null;
    const files = [...profiles];
    const names = files.map((file) => basename(file));
    const told = new Set(names).size === files.length ? names : files;
    return withoutCommonPrefix(told)[files.indexOf(profile)]!;
  };
  return {
    short(row) {
      const profile = profileName(row);
      return profile === null ? row.method : `${row.method} ${profile}`;
    },
    sentence(row) {
      const profile = profileName(row);
      const subject = methodSentence(row.method);
      return profile === null ? subject : `${subject} with ${profile}`;
    },
  };
}
