import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../errors.js';
import type { StudyHeader, StudyStart } from './events.js';

/**
 * The first thing in which a study's start and the wanted one differ, as a clause after the study's name; undefined when the study
 * can be resumed. Values are told as JSON, but nobody can compare hashes: of data it is told which, and that they changed.
 */
export function startDifference(had: StudyStart, wanted: StudyStart): string | undefined {
  const fields: [string, unknown, unknown][] = [
    ['sampler', had.sampler, wanted.sampler],
    ['seed', had.seed, wanted.seed],
    ['bits', had.bits, wanted.bits],
  ];
  for (const key of new Set([...Object.keys(had.context), ...Object.keys(wanted.context)]))
    fields.push([`context.${key}`, had.context[key], wanted.context[key]]);
  const found = fields.find(([, before, now]) => !isDeepStrictEqual(before, now));
  return found && clause(...found);
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
    header.study === name ? startDifference(header, wanted) : clause('study', header.study, name);
  if (difference === undefined) return;
  throw new InputError(
    `${path}: the study ${difference}; run with the same or choose another study name.`,
  );
}

const Prompts = z.object({
  name: z.string(),
  hash: z.string(),
  chat_template: z.boolean().optional(),
  system: z.string().optional(),
});
const PROMPTS = new Map([
  ['context.dataset', 'to search on'],
  ['context.holdout', 'to confirm on'],
]);

function clause(field: string, before: unknown, now: unknown): string {
  const purpose = PROMPTS.get(field);
  const had = Prompts.safeParse(before);
  const has = Prompts.safeParse(now);
  if (purpose !== undefined && had.success && has.success)
    return promptsClause(purpose, had.data, has.data);
  if (field === 'context.weights_hash') return 'is of another model, or of other weights of it';
  return `has ${field} ${show(before)} but this run has ${show(now)}`;
}

function promptsClause(
  purpose: string,
  had: z.infer<typeof Prompts>,
  has: z.infer<typeof Prompts>,
): string {
  const { name } = had;
  if (name !== has.name) return `has ${name} ${purpose} but this run has ${has.name}`;
  if (had.hash !== has.hash)
    return `has ${name} ${purpose}, and its prompts have changed since the study began`;
  const form = ({ chat_template, system }: z.infer<typeof Prompts>) =>
    chat_template
      ? `as chat${system === undefined ? '' : ` after the system message ${show(system)}`}`
      : 'as text to be continued';
  return `has ${name} ${purpose} put to the model ${form(had)} but this run ${form(has)}`;
}

function show(value: unknown): string {
  return value === undefined ? 'unset' : JSON.stringify(value);
}
