import { isDeepStrictEqual } from 'node:util';
import type { StudyStart } from './events.js';

/** Where two starts differ, as it is told: both values as JSON, or `unset`. */
export interface StartDifference {
  /** `seed`, `context.precision`, ... */
  readonly field: string;
  readonly before: string;
  readonly now: string;
}

/** The first field in which a study's start and the wanted one differ; undefined when the study can be resumed. */
export function startDifference(had: StudyStart, wanted: StudyStart): StartDifference | undefined {
  const fields: [string, unknown, unknown][] = [
    ['sampler', had.sampler, wanted.sampler],
    ['seed', had.seed, wanted.seed],
    ['bits', had.bits, wanted.bits],
  ];
  for (const key of new Set([...Object.keys(had.context), ...Object.keys(wanted.context)]))
    fields.push([`context.${key}`, had.context[key], wanted.context[key]]);
  const found = fields.find(([, before, now]) => !isDeepStrictEqual(before, now));
  return found && { field: found[0], before: show(found[1]), now: show(found[2]) };
}

function show(value: unknown): string {
  return value === undefined ? 'unset' : JSON.stringify(value);
}
