import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCHMARKS, benchmarkAdvice, benchmarkFile } from '../datasets/benchmarks.js';
import { InputError } from '../errors.js';
import { writeFileAtomic } from '../files.js';
import type { PullOptions } from './client.js';
import { pullFiles } from './pull.js';

/** Rows of text; a larger file is not what the table means. */
const MAX_BYTES = 64 << 20;

/** A benchmark's file that is here. */
export interface PulledDataset {
  /** What `--dataset` takes. */
  readonly name: string;
  readonly path: string;
  readonly commit: string;
  readonly bytes: number;
}

/**
 * Downloads a benchmark's file from the Hub, through the cache that is shared with other tools, and keeps it under the
 * benchmark's name.
 * @throws InputError for a name that is none of the table, or not to be had, and as downloads do
 */
export async function pullDataset(name: string, options: PullOptions = {}): Promise<PulledDataset> {
  const benchmark = BENCHMARKS.find((known) => known.name === name);
  if (benchmark?.repository == null) {
    const known = BENCHMARKS.filter(({ repository }) => repository !== null);
    throw new InputError(
      benchmarkAdvice(name) ??
        `"${name}" is none of the datasets that can be downloaded: ${known.map((one) => one.name).join(', ')}.`,
    );
  }
  const { repository, file } = benchmark;
  const { commit, directory, files } = await pullFiles(
    { kind: 'dataset', ...repository, revision: 'main' },
    options,
    async (listing) => {
      const found = listing.find(({ path }) => path === file);
      if (found !== undefined && found.size <= MAX_BYTES) return [found];
      throw new InputError(
        `${repository.org}/${repository.name} has no file ${file} of a benchmark's size any more: get it elsewhere and give the file as the dataset.`,
      );
    },
  );
  const path = benchmarkFile(name);
  writeFileAtomic(path, readFileSync(join(directory, file)));
  return { name, path, commit, bytes: files[0].size };
}
