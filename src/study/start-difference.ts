import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../errors.js';
import type { StudyHeader, StudyStart } from './events.js';

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

/**
 * Whether the study in a file is the wanted one.
 * @throws InputError naming file and field when it has another name or another start.
 */
export function checkSameStart(
  path: string,
  header: StudyHeader,
  name: string,
  wanted: StudyStart,
): void {
  const difference =
    header.study === name
      ? startDifference(header, wanted)
      : { field: 'study', before: show(header.study), now: show(name) };
  if (!difference) return;
  const { field, before, now } = difference;
  throw new InputError(
    `${path}: the study has ${field} ${before} but this run has ${now}; run with the same or choose another study name.`,
  );
}

function show(value: unknown): string {
  return value === undefined ? 'unset' : JSON.stringify(value);
}
