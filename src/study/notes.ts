import { z } from 'zod';
import { DRAFT_EXITS } from '../decoding/draft-rule.js';
import { parseFields } from '../json-file.js';
import { metricShape } from '../metrics/registry.js';
import type { StudyHeader } from './events.js';
import type { StudySummary } from './summary.js';

const ablation = z.object({
  bridges: z.int().min(0),
  /** Bridges with a memory; studies of earlier releases know none. */
  memories: z.int().min(0).default(0),
  /** null: the whole head. */
  head_words: z.int().min(1).nullable(),
  predicted_speedup: z.number().min(0),
  draft_acceptance_rate: z.number().min(0).max(1),
  mean_acceptance_length: z.number().min(1),
  c: z.number().positive(),
});

/** What replay makes of the most promising plan, or of a part of it. */
export type AblationNote = z.infer<typeof ablation>;

/** @param bits 2L, the length of the study's masks. */
function notesSchema(bits: number) {
  const mask = z
    .string()
    .length(bits)
    .regex(/^[01]*$/);
  const finalist = z.object({
    /** What was measured; notes of earlier releases are of drafting with the mask. */
    method: z.string().max(100).default('skip'),
    mask,
    draft_exit: z.enum(DRAFT_EXITS),
    draft_length: z.int().min(1),
    threshold: z.number().min(0).max(1),
    speedup: z.number().min(0).nullable(),
    speedup_ci95: z.tuple([z.number(), z.number()]).readonly().nullable(),
    prompts: z.int().min(0),
    ...metricShape((schema) => schema.exactOptional()),
    predicted_speedup: z.number().min(0).optional(),
  });
  return z.object({
    command: z.string().max(100_000).optional(),
    cost_model: z
      .object({ error: z.object({ draft: z.number().min(0), target: z.number().min(0) }) })
      .optional(),
    ablation: z.array(ablation).max(100).optional(),
    finalists: z.array(finalist).max(10_000).optional(),
    holdout: finalist.optional(),
  });
}

/** What a search leaves in its journal beside trials; one that is not done lacks the last of it. */
export type StudyNotes = z.infer<ReturnType<typeof notesSchema>>;
/** What real decoding showed of a finalist. */
export type NotedFinalist = NonNullable<StudyNotes['holdout']>;

/**
 * The notes of a search.
 * @param study named in errors.
 * @throws InputError when a note has a form that this release does not know.
 */
export function studyNotes(
  { notes }: StudySummary,
  { bits }: Pick<StudyHeader, 'bits'>,
  study: string,
): StudyNotes {
  return parseFields(notesSchema(bits), notes, `${study}, the study's notes`);
}
