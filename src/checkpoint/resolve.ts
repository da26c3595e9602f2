import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors.js';
import { checkpointFiles, formats, isCheckpoint } from './formats/index.js';
import { formatHubReference, type HubReference, parseHubReference } from './hub-reference.js';
import { findSnapshot, repositoryDirectory } from './hub-snapshot.js';

/** Where a model is. */
export interface ModelLocation {
  /** Absolute path of a checkpoint's folder or file; null when nothing is here. */
  readonly path: string | null;
  /** What the Hub would have to be asked for: the model is not in the cache, or not whole. */
  readonly missing: HubReference | null;
}

/**
 * Turns a model reference into the folder or file of a checkpoint: `demo` (the model that ships with the package), an existing
 * folder (one that is no checkpoint but has a checkpoint file stands for it), a checkpoint file, or a Hub id
 * `org/name[@revision][/file.gguf]` that is in the local Hugging Face cache. Asks no network.
 * @returns absolute path
 * @throws InputError when the reference is malformed or names nothing that is here
 */
export async function resolveModel(ref: string): Promise<string> {
  const { path, missing } = await locateModel(ref);
  if (path !== null) return path;
  const hub = missing!;
  throw new InputError(
    `The model "${ref}" is neither a folder nor in the Hugging Face cache (looked for revision ${hub.revision} in ${repositoryDirectory(hub)}); download it (sspec model pull ${formatHubReference(hub)}) or give its folder as the model.`,
  );
}

/**
 * The same for a model that may have to be downloaded.
 * @returns a path, or what is missing, or both where the cache has only a part of it
 * @throws InputError when the reference is malformed
 */
export async function locateModel(ref: string): Promise<ModelLocation> {
  if (ref === 'demo') return { path: demoDirectory(), missing: null };
  const entry = await stat(ref).catch(() => undefined);
  if (entry?.isDirectory())
    return { path: onlyFileIn(resolve(ref)) ?? resolve(ref), missing: null };
  if (entry !== undefined) {
    if (isCheckpoint(ref)) return { path: resolve(ref), missing: null };
    const givens = formats.map(({ given }) => given).join(' or ');
    throw new InputError(`The model "${ref}" is a file of no known format; give ${givens}.`);
  }
  const hub = parseHubReference(ref);
  if (hub === null)
    throw new InputError(
      `The model "${ref}" is neither "demo", an existing folder or file, nor a Hub id org/name[@revision].`,
    );
  const { path, complete } = await findSnapshot(hub);
  return { path, missing: complete ? null : hub };
}

/** One name for all ways to write a reference: files and folders by their absolute path. */
export async function canonicalReference(ref: string): Promise<string> {
  if (ref === 'demo') return ref;
  if (await stat(ref).catch(() => undefined)) return resolve(ref);
  const hub = parseHubReference(ref);
  return hub === null ? ref : formatHubReference(hub);
}

/**
 * The one checkpoint file of a folder that is no checkpoint itself; undefined where there is none.
 * @throws InputError when there are several
 */
function onlyFileIn(directory: string): string | undefined {
  if (isCheckpoint(directory)) return undefined;
  const files = checkpointFiles(directory);
  if (files.length > 1) {
    const kinds = [...new Set(files.map(({ format }) => format.name))].join(' and ');
    const names = files.slice(0, 8).map(({ name }) => name);
    throw new InputError(
      `${directory} has ${files.length} ${kinds} files; name one of them as the model: ${names.join(', ')}${files.length > 8 ? ', …' : ''}.`,
    );
  }
  return files.length === 1 ? join(directory, files[0].name) : undefined;
}

/** models/demo beside the nearest package.json above this module, which lies in src or, compiled, in dist/src. */
function demoDirectory(): string {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root);
  const directory = join(root, 'models', 'demo');
  if (!existsSync(directory))
    throw new InputError(`The demo model is missing at ${directory}; install the package again.`);
  return directory;
}
