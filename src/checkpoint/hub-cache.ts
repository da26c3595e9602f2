import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isCheckpoint } from './formats/index.js';
import { formatHubReference } from './hub-reference.js';
import { checkpointFilesOf, hubCacheDirectory } from './hub-snapshot.js';

/** A model in the local Hugging Face cache. */
export interface CachedModel {
  /** `org/name`, with `@revision` unless that is main, and a GGUF file where there are several: what `--model` takes. */
  readonly reference: string;
  /** The snapshot's folder, or the GGUF file in it. */
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
      const snapshot = join(repository, 'snapshots', readFileSync(file, 'utf8').trim());
      models.push(...snapshotModels(snapshot, { org, name, revision }));
    }
  }
  return models.sort((a, b) => (a.reference < b.reference ? -1 : 1));
}

function snapshotModels(
  snapshot: string,
  id: { readonly org: string; readonly name: string; readonly revision: string },
): CachedModel[] {
  const files = checkpointFilesOf(snapshot);
  const isFolder = isCheckpoint(snapshot);
  const named = files.map((file): CachedModel => {
    const isOnly = files.length === 1 && !isFolder;
    const directory = join(snapshot, file);
    const reference = formatHubReference({ ...id, file: isOnly ? null : file });
    return { reference, directory, bytes: statSync(directory).size };
  });
  if (!isFolder) return named;
  const reference = formatHubReference({ ...id, file: null });
  return [{ reference, directory: snapshot, bytes: folderBytes(snapshot) }, ...named];
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
