import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { HubReference } from '../checkpoint/hub-reference.js';
import { repositoryDirectory } from '../checkpoint/hub-snapshot.js';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';

/** What is to be removed of a repository in the cache. */
export interface Removal {
  /** Files and folders of this removal alone. */
  readonly paths: readonly string[];
  /** What they take on the disk. */
  readonly bytes: number;
}

/**
 * Finds what goes with a downloaded snapshot (or one GGUF file of it): its links, the blobs that no other snapshot has, and
 * the revisions that lead to it. Nothing is removed yet.
 * @returns null when the cache has no such snapshot
 */
export function planRemoval(hub: HubReference): Removal | null {
  const repository = repositoryDirectory(hub);
  const ref = join(repository, 'refs', hub.revision);
  const commit = existsSync(ref) ? readFileSync(ref, 'utf8').trim() : hub.revision;
  const snapshots = join(repository, 'snapshots');
  const snapshot = join(snapshots, commit);
  if (!/^[0-9a-f]{40}$/.test(commit) || !existsSync(snapshot)) return null;
  const own = filesBelow(snapshot).filter((path) => isWanted(path, snapshot, hub));
  if (own.length === 0) return null;
  const others = filesBelow(snapshots).filter((path) => !own.includes(path));
  const kept = new Set(others.flatMap((path) => blobOf(path, repository) ?? []));
  const blobs = own.flatMap((path) => blobOf(path, repository) ?? []);
  const going = [...new Set(blobs)].filter((path) => !kept.has(path) && existsSync(path));
  const copies = own.filter((path) => lstatSync(path).isFile());
  const bytes = bytesOf([...going, ...copies]);
  if (others.length === 0) return { paths: [repository], bytes: bytesOf(filesBelow(repository)) };
  const isWhole = !others.some((path) => path.startsWith(snapshot + sep));
  const refs = filesBelow(join(repository, 'refs')).filter(
    (path) => readFileSync(path, 'utf8').trim() === commit,
  );
  return { paths: isWhole ? [...refs, snapshot, ...going] : [...own, ...going], bytes };
}

/** @throws InputError when a file cannot be removed */
export function remove({ paths }: Removal): void {
  for (const path of paths) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      throw new InputError(`Cannot remove ${path}: ${errorMessage(error)}`);
    }
  }
}

function isWanted(path: string, snapshot: string, { file }: HubReference): boolean {
  return file === null || relative(snapshot, path).split(sep).join('/') === file;
}

/** Files and links in a folder and those below it. */
function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Of files; links take nothing. */
function bytesOf(paths: readonly string[]): number {
  return paths.reduce(
    (sum, path) => sum + (lstatSync(path).isFile() ? lstatSync(path).size : 0),
    0,
  );
}

/** The blob that a link leads to; none for a copy, or a link out of the repository. */
function blobOf(path: string, repository: string): string | undefined {
  if (!lstatSync(path).isSymbolicLink()) return undefined;
  const blob = resolve(dirname(path), readlinkSync(path));
  return dirname(blob) === join(repository, 'blobs')
    ? join(dirname(blob), basename(blob))
    : undefined;
}
