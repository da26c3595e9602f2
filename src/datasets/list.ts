import { join } from 'node:path';
import type { Dataset, Split } from './dataset.js';
import { BUNDLED, loadBundled, loadGroup, NAMED, SPLITS } from './load.js';
import { readFormats, readTask, type Task } from './task.js';

/** What `sspec dataset list` shows of a bundled dataset or group. */
export interface DatasetListing {
  readonly name: string;
  /** What the continuations are; `mixed` for a group. */
  readonly kind: string;
  readonly version: number;
  readonly description: string;
  readonly licence: string;
  /** Number of prompts and hash of each split, as `loadDataset` gives them. */
  readonly splits: readonly {
    readonly split: Split;
    readonly prompts: number;
    readonly hash: string;
  }[];
}

/** What `sspec dataset list` shows of a format that files of the user's may have. */
export type FormatListing = Pick<
  Task,
  'name' | 'kind' | 'version' | 'description' | 'licence' | 'fields'
>;

/** The formats of files that are read, each known by its fields. */
export function listFormats(): FormatListing[] {
  return readFormats().map(({ name, kind, version, description, licence, fields }) => ({
    name,
    kind,
    version,
    description,
    licence,
    fields,
  }));
}

/** All bundled datasets, then the groups made of them. */
export function listDatasets(): DatasetListing[] {
  const single = NAMED.map((name): DatasetListing => {
    const { kind, version, description, licence } = readTask(join(name, 'task.yaml'));
    const splits = SPLITS.map((split) => summary(loadBundled(name, split), split));
    return { name, kind, version, description, licence, splits };
  });
  const groups = SPLITS.map((split): DatasetListing => {
    const group = loadGroup(split);
    return {
      name: split,
      kind: 'mixed',
      version: group.version,
      description: `The ${split} prompts of ${BUNDLED.join(', ')} in turn`,
      licence: [...new Set(single.map(({ licence }) => licence))].join(', '),
      splits: [summary(group, split)],
    };
  });
  return [...single, ...groups];
}

function summary({ prompts, hash }: Dataset, split: Split): DatasetListing['splits'][number] {
  return { split, prompts: prompts.length, hash };
}
