import { z } from 'zod';
import type { StudyHeader } from './events.js';
import { datasetOfShare } from './share-name.js';
import type { StudySummary } from './summary.js';

/** What a study searched; null where its journal does not tell. */
export interface StudySubject {
  /** As it was given to `--model`. */
  readonly model: string | null;
  /** Of the calibration prompts; of a share the dataset that it was taken from. */
  readonly dataset: string | null;
}

const Dataset = z.object({ name: z.string() });

/** The model of a study's notes and the dataset of its header. */
export function studySubject(
  { context }: Pick<StudyHeader, 'context'>,
  { notes }: Pick<StudySummary, 'notes'>,
): StudySubject {
  const dataset = Dataset.safeParse(context.dataset);
  return {
    model: typeof notes.model === 'string' ? notes.model : null,
    dataset: dataset.success ? datasetOfShare(dataset.data.name) : null,
  };
}
