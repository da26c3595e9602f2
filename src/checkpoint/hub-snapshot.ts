import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { readJsonFile } from '../json-file.js';
import { FILE_FORMATS, fileNamesOf } from './formats/index.js';
import { formatHubReference, type HubReference } from './hub-reference.js';

const COMMIT = /^[0-9a-f]{40}$/;
const MAX_INDEX_BYTES = 100_000_000;
const LISTED = 20;

/** HF_HUB_CACHE, else `hub` in HF_HOME, else ~/.cache/huggingface/hub (XDG_CACHE_HOME counts), as in huggingface_hub. */
export function hubCacheDirectory(): string {
  const { HF_HUB_CACHE } = process.env;
  return HF_HUB_CACHE ? resolve(HF_HUB_CACHE) : join(hubHome(), 'hub');
}

/** HF_HOME, else ~/.cache/huggingface, as in huggingface_hub. */
export function hubHome(): string {
  const { HF_HOME, XDG_CACHE_HOME } = process.env;
  return resolve(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'));
}

/** A repository's folder in the cache: `models--org--name`. */
export function repositoryDirectory(
  { org, name }: Pick<HubReference, 'org' | 'name'>,
  kind: 'model' | 'dataset' = 'model',
): string {
  return join(hubCacheDirectory(), `${kind}s--${org}--${name}`);
}

/** What of a reference is in the local cache. */
export interface CachedSnapshot {
  /** The snapshot's folder or the file in it that is a checkpoint; null when neither is there. */
  readonly path: string | null;
  /** Whether all files that make a model are there; other tools fetch config.json alone at times. */
  readonly complete: boolean;
}

/**
 * Looks a reference up in the cache of huggingface_hub: models--org--name/refs/<revision> holds a commit, snapshots/<commit>
 * the files.
 * @throws InputError when the snapshot has several such files and the reference names none
 */
export async function findSnapshot(hub: HubReference): Promise<CachedSnapshot> {
  const repository = repositoryDirectory(hub);
  const stored = await readFile(join(repository, 'refs', hub.revision), 'utf8').catch(
    () => hub.revision,
  );
  const commit = stored.trim();
  if (!COMMIT.test(commit)) return { path: null, complete: false };
  const snapshot = join(repository, 'snapshots', commit);
  if (hub.file !== null) {
    const path = join(snapshot, hub.file);
    return existsSync(path) ? { path, complete: true } : { path: null, complete: false };
  }
  if (hasWholeCheckpoint(snapshot)) return { path: snapshot, complete: true };
  const files = checkpointFilesOf(snapshot);
  if (files.length > 1)
    throw new InputError(
      `${formatHubReference(hub)} has ${files.length} ${FILE_FORMATS} files in the cache; name one of them: ${chooseFrom(hub, files)}.`,
    );
  if (files.length === 1) return { path: join(snapshot, files[0]), complete: true };
  if (existsSync(join(snapshot, 'config.json'))) return { path: snapshot, complete: false };
  return { path: null, complete: false };
}

/** References to the files of a repository, as a list in a sentence. */
export function chooseFrom(hub: HubReference, files: readonly string[]): string {
  const named = files.slice(0, LISTED).map((file) => formatHubReference({ ...hub, file }));
  return `${named.join(', ')}${files.length > LISTED ? ', …' : ''}`;
}

/** Files of a snapshot that are checkpoints by themselves, by their paths in it. */
export function checkpointFilesOf(snapshot: string): string[] {
  if (!existsSync(snapshot)) return [];
  return readdirSync(snapshot, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => fileNamesOf(name) && existsSync(join(snapshot, name)))
    .sort();
}

/** config.json and weights: one file, or all shards that the index names. */
function hasWholeCheckpoint(snapshot: string): boolean {
  const has = (name: string) => existsSync(join(snapshot, name));
  if (!has('config.json')) return false;
  if (has('model.safetensors')) return true;
  const index = join(snapshot, 'model.safetensors.index.json');
  if (!existsSync(index)) return false;
  const parsed = z
    .object({ weight_map: z.record(z.string(), z.string()) })
    .safeParse(readJsonFile(index, MAX_INDEX_BYTES));
  // What is wrong with it is told where it is opened.
  return !parsed.success || Object.values(parsed.data.weight_map).every(has);
}
