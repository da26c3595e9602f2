import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { type RecordedEvaluation, readResults } from './results-file.js';
import { type RecordedTiming, readTimings } from './samples-file.js';

const RESULTS = 'results.json';

/** An evaluation that is held against another. */
export interface ComparedEvaluation {
  /** As it was given. */
  readonly path: string;
  readonly evaluation: RecordedEvaluation;
  /** Of every generation; null where there is no samples.jsonl. */
  readonly timings: readonly RecordedTiming[] | null;
}

/**
 * Reads one side of a comparison.
 * @param path the folder of `sspec eval --output-dir`, its results.json, or a copy of that under another name, which is taken without
 *   samples: a samples.jsonl beside it may be that of another evaluation.
 * @throws InputError when there is none, or a file in it does not fit.
 */
export function readCompared(path: string): ComparedEvaluation {
  const isFolder = isDirectory(path);
  if (!isFolder && basename(path) !== RESULTS)
    return { path, evaluation: readResults(path), timings: null };
  const folder = isFolder ? path : dirname(path);
  const evaluation = readResults(join(folder, RESULTS));
  return { path, evaluation, timings: readTimings(join(folder, 'samples.jsonl')) };
}

function isDirectory(path: string): boolean {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found)
      throw new InputError(`There is no ${path}; name the folder of sspec eval --output-dir.`);
    return found.isDirectory();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read ${path}: ${errorMessage(error)}.`);
  }
}
