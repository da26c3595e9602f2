import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNamesOf } from '../checkpoint/formats/index.js';
import { formatHubReference, type HubReference } from '../checkpoint/hub-reference.js';
import { hubCacheDirectory, repositoryDirectory } from '../checkpoint/hub-snapshot.js';
import { InputError } from '../errors.js';
import { errorMessage, makeFolder } from '../files.js';
import { readJsonFile } from '../json-file.js';
import { bytesHere, downloadBlob } from './blob.js';
import { chooseModelFiles, chooseShards } from './choose-files.js';
import {
  type HubClient,
  hubClient,
  type PullOptions,
  type Repository,
  repositoryId,
  repositoryPage,
} from './client.js';
import { isOffline } from './environment.js';
import { type HubFile, listRepository } from './listing.js';
import { placeInSnapshot, recordRevision } from './snapshot.js';

/** Files at a time: enough to fill the pause between two, few enough for any line and server. */
const PARALLEL = 2;
const MAX_INDEX_BYTES = 100_000_000;

/** What was pulled. */
export interface Pulled {
  readonly commit: string;
  /** The snapshot's folder. */
  readonly directory: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** What had to be asked for; 0 where all was here. */
  readonly receivedBytes: number;
}

/** A pulled model. */
export interface PulledModel extends Pulled {
  /** What a checkpoint is opened by: the snapshot, or the file in it that is one. */
  readonly path: string;
}

/**
 * Downloads a model's files into the cache that is shared with other tools; what is there already is not asked for again.
 * @throws InputError where the network is forbidden, and for what the Hub, the network or the disk refuses
 */
export async function pullModel(
  hub: HubReference,
  options: PullOptions = {},
): Promise<PulledModel> {
  const repository: Repository = { kind: 'model', ...hub };
  const pulled = await pullFiles(repository, options, async (listing, fetchNow) => {
    const { files, index } = chooseModelFiles(listing, hub);
    if (index === null) return files;
    const json = readJsonFile(await fetchNow(index), MAX_INDEX_BYTES);
    return [...files, ...chooseShards(json, listing, formatHubReference(hub))];
  });
  const [first] = pulled.files;
  const isFile = pulled.files.length === 1 && fileNamesOf(first.path) !== undefined;
  return { ...pulled, path: isFile ? join(pulled.directory, first.path) : pulled.directory };
}

/**
 * Downloads chosen files of a repository.
 * @param choose picks from the listing; may fetch a file first to look into it
 */
export async function pullFiles(
  repository: Repository,
  options: PullOptions,
  choose: (
    listing: readonly HubFile[],
    fetchNow: (file: HubFile) => Promise<string>,
  ) => Promise<readonly HubFile[]>,
): Promise<Pulled> {
  if (isOffline())
    throw new InputError(
      `${repositoryId(repository)} would have to be downloaded, which --offline (HF_HUB_OFFLINE) forbids.`,
    );
  const stop = new AbortController();
  const outer = options.signal ?? stop.signal;
  const client = hubClient({ ...options, signal: AbortSignal.any([outer, stop.signal]) });
  const { commit, files: listing } = await listRepository(client, repository);
  const folder = repositoryDirectory(repository, repository.kind);
  const blobOf = ({ hash }: HubFile) => join(folder, 'blobs', hash);
  let receivedBytes = 0;
  const fetchOne = async (file: HubFile, onBytes: (bytes: number) => void) => {
    // Not `+= await`, which would add to what the sum was before.
    const received = await downloadBlob(client, {
      ...{ repository, file, onBytes, blob: blobOf(file) },
      url: fileAddress(client, repository, commit, file.path),
      lock: lockPath(repository, file.hash),
    });
    receivedBytes += received;
    return blobOf(file);
  };

  prepareFolder(join(folder, 'blobs'));
  const files = await choose(listing, (file) => fetchOne(file, () => {}));
  await checkSpace(folder, files, blobOf);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const here = new Map(files.map((file) => [file, bytesHere(blobOf(file), file)]));
  const tell = () =>
    options.onProgress?.(
      [...here.values()].reduce((a, b) => a + b, 0),
      total,
    );
  tell();
  // The small ones first: what is wrong with them is told before gigabytes.
  const waiting = [...files].sort((a, b) => a.size - b.size);
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const current = file;
      await fetchOne(current, (bytes) => {
        here.set(current, bytes);
        tell();
      });
    }
  };
  await allOrNone(Array.from({ length: PARALLEL }, work), stop);

  const directory = join(folder, 'snapshots', commit);
  for (const file of files) await placeInSnapshot(blobOf(file), join(directory, file.path));
  // At the end, so that the revision leads to a whole model.
  await recordRevision(folder, repository.revision, commit);
  const pulled = files.map(({ path, size }) => ({ path, size }));
  return { commit, directory, files: pulled, receivedBytes };
}

/** Waits for all; the first that fails stops the others, and is what is thrown. */
async function allOrNone(works: Promise<void>[], stop: AbortController): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  await Promise.all(
    works.map((work) =>
      work.catch((error) => {
        failed ??= { error };
        stop.abort(error);
      }),
    ),
  );
  if (failed) throw failed.error;
}

function fileAddress(
  client: HubClient,
  repository: Repository,
  commit: string,
  path: string,
): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `${repositoryPage(client.endpoint, repository)}/resolve/${commit}/${encoded}`;
}

/** Where other tools have their locks of a repository; of the same form, but not of the same name, as theirs work otherwise. */
function lockPath(repository: Repository, hash: string): string {
  const { kind, org, name } = repository;
  return join(hubCacheDirectory(), '.locks', `${kind}s--${org}--${name}`, `${hash}.sspec.lock`);
}

function prepareFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    throw new InputError(`Cannot write ${folder}: ${errorMessage(error)}`);
  }
}

/** Rather before the first byte than after most of them. */
async function checkSpace(
  folder: string,
  files: readonly HubFile[],
  blobOf: (file: HubFile) => string,
): Promise<void> {
  const missing = files.reduce((sum, file) => sum + file.size - bytesHere(blobOf(file), file), 0);
  let free: number;
  try {
    const { bavail, bsize } = await statfs(folder);
    free = bavail * bsize;
  } catch {
    // Where a file system does not tell, the download finds out.
    return;
  }
  if (missing <= free) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new InputError(
    `${gigabytes(missing)} are to be downloaded, but the disk of ${folder} has ${gigabytes(free)} free: make room, or set HF_HUB_CACHE to another disk.`,
  );
}
