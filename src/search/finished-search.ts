/** What a search came to, kept in its journal: resumed with the same request, it measures nothing anew. */
import { z } from 'zod';
import { figuresShape } from '../metrics/measured-figures.js';
import { type Profile, profileSchema } from '../profile/schema.js';
import { replayStudy } from '../study/state.js';
import type { OpenStudy } from '../study/storage.js';
import type { SearchDocument } from './search-document.js';
import type { SearchRequest } from './search-request.js';

/** A search that has been through all its rungs. */
export interface FinishedSearch {
  readonly profile: Profile;
  /** Where `profile` and `wall_seconds` are those of the run that measured. */
  readonly document: SearchDocument;
}

/** What of a request is not in the study's header, and yet decides what is found. */
type Extent = Pick<SearchRequest, 'trials' | 'finalists'>;

/** Longest note in characters; a search with more to tell is measured anew. */
const MOST_CHARACTERS = 500_000;
const KEY = 'result';

// In the order of a search's document, which a parsed one keeps.
const { speedup, speedup_ci95, ...others } = figuresShape;
const figures = z.object({ speedup, speedup_ci95, verdict: z.string().nullable(), ...others });

const prompts = z.object({
  name: z.string(),
  split: z.string().nullable(),
  version: z.number(),
  hash: z.string(),
  prompts: z.number(),
  chat_template: z.literal(true).exactOptional(),
  system: z.string().exactOptional(),
});

const runs = z.array(z.tuple([z.number(), z.number()])).default([]);

const drafting = ['skip', 'lookup', 'cascade'] as const;

const document: z.ZodType<SearchDocument> = z.object({
  study: z.string(),
  prompts: z.object({ calibration: prompts, holdout: prompts }),
  sampler: z.string(),
  fidelity: z.string(),
  trials: z.number(),
  wall_seconds: z.number(),
  calibration: z.object({
    cost_model_error: z.number().nullable(),
    rank_correlation: z.number().nullable(),
  }),
  method: z.enum(['autoregressive', ...drafting]),
  best: z.object({
    method: z.enum(drafting),
    skip_attention: z.array(z.number()),
    skip_mlp: z.array(z.number()),
    bridges: runs,
    memories: runs,
    head_words: z.number().nullable().default(null),
    draft_length: z.number(),
    draft_exit: z.string(),
    threshold: z.number(),
    predicted_speedup: z.number().nullable(),
    ...figures.shape,
  }),
  holdout: figures.extend({ per_kind: z.record(z.string(), figures) }),
  profile: z.string(),
});

const Result = z.object({ finalists: z.number(), profile: profileSchema, document });

/** Keeps what a search came to. */
export async function noteFinished(
  study: OpenStudy,
  { finalists }: Extent,
  { profile, document }: FinishedSearch,
): Promise<void> {
  const text = JSON.stringify({ finalists, profile, document });
  // JSON, since a note may not hold undefined.
  if (text.length <= MOST_CHARACTERS)
    await study.append({ type: 'note', key: KEY, value: JSON.parse(text) });
}

/** What a study's last search came to, if this request wants no other; undefined where something is to be measured. */
export function finishedSearch(
  study: OpenStudy,
  { trials: wanted, finalists }: Extent,
): FinishedSearch | undefined {
  const known = Result.safeParse(replayStudy(study).notes.get(KEY));
  if (!known.success || known.data.finalists !== finalists) return undefined;
  const trials = replayStudy(study).finished.length;
  const { profile, document } = known.data;
  return trials >= wanted && document.trials === trials ? { profile, document } : undefined;
}
