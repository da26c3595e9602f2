import { basename } from 'node:path';
import { drafterKind, isDrafterName } from '../decoding/drafters/registry.js';
import type { EvaluationRow } from '../evaluation/summary.js';

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

/** Names profiles only where several of one method were measured, and with their folders only where the files' names agree. */
export function methodLabels(rows: readonly NamedRow[]): MethodLabels {
  const profilesOf = (method: string) =>
    new Set(rows.filter((row) => row.method === method).flatMap(({ profile }) => profile ?? []));
  const profileName = ({ method, profile }: NamedRow): string | null => {
    const profiles = profilesOf(method);
    if (profile === null || profiles.size < 2) return null;
    const names = new Set([...profiles].map((file) => basename(file)));
    return names.size === profiles.size ? basename(profile) : profile;
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
