import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isCheckpoint } from './formats/index.js';
import { hubCacheDirectory } from './resolve.js';

/** A model in the local Hugging Face cache. */
export interface CachedModel {
  /** `org/name`, with `@revision` unless that is main: what `--model` takes. */
  readonly reference: string;
  /** The snapshot's folder. */
  readonly directory: string;
  /** Of its files, linked ones included. */
  readonly bytes: number;
}

/** Models of the Hugging Face cache that are checkpoints, by reference; none when there is no cache. */
export function listCachedModels(): CachedModel[] {
  const cache = hubCacheDirectory();
  const models: CachedModel[] = [];
  for (const folder of entries(cache)) {
    const [, org, name] = /^models--(.+?)--(.+)$/.exec(folder) ?? [];
    if (org === undefined || name === undefined) continue;
    const repository = join(cache, folder);
    for (const revision of entries(join(repository, 'refs'))) {
      const file = join(repository, 'refs', revision);
      // A branch with a slash in its name is a folder here.
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) continue;
      const directory = join(repository, 'snapshots', readFileSync(file, 'utf8').trim());
      if (!isCheckpoint(directory)) continue;
      const reference = `${org}/${name}${revision === 'main' ? '' : `@${revision}`}`;
      models.push({ reference, directory, bytes: folderBytes(directory) });
    }
  }
  return models.sort((a, b) => (a.reference < b.reference ? -1 : 1));
}

/** Bytes of the files right in a folder; links count as what they point to, broken ones as nothing. */
export function folderBytes(directory: string): number {
  const size = (name: string) => statSync(join(directory, name), { throwIfNoEntry: false });
  return entries(directory).reduce((sum, name) => {
    const stat = size(name);
    return sum + (stat?.isFile() ? stat.size : 0);
  }, 0);
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
