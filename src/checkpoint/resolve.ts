import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors.js';
import { checkpointFiles, formats, isCheckpoint } from './formats/index.js';

/** `org/name`, optionally `@revision` (a branch, a tag, a commit); every part is a plain name, so no path escapes. */
const HUB_ID =
  /^(?<org>[A-Za-z0-9][\w.-]*)\/(?<name>[A-Za-z0-9][\w.-]*?)(?:@(?<revision>[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*))?$/;
const COMMIT = /^[0-9a-f]{40}$/;
const DEFAULT_REVISION = 'main';

/**
 * Turns a model reference into the folder or file of a checkpoint: `demo` (the model that ships with the package), an existing
 * folder (one that is no checkpoint but has a checkpoint file stands for it), a checkpoint file, or a Hub id `org/name[@revision]` that
 * is in the local Hugging Face cache.
 * @returns absolute path
 * @throws InputError when the reference is malformed or names nothing that is here
 */
export async function resolveModel(ref: string): Promise<string> {
  if (ref === 'demo') return demoDirectory();
  const entry = await stat(ref).catch(() => undefined);
  if (entry?.isDirectory()) return onlyFileIn(resolve(ref)) ?? resolve(ref);
  if (entry !== undefined) {
    if (isCheckpoint(ref)) return resolve(ref);
    const givens = formats.map(({ given }) => given).join(' or ');
    throw new InputError(`The model "${ref}" is a file of no known format; give ${givens}.`);
  }
  const id = parseHubId(ref);
  if (id === null)
    throw new InputError(
      `The model "${ref}" is neither "demo", an existing folder or file, nor a Hub id org/name[@revision].`,
    );
  return cachedSnapshot(ref, id);
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

interface HubId {
  readonly org: string;
  readonly name: string;
  readonly revision: string;
}

function parseHubId(ref: string): HubId | null {
  const groups = HUB_ID.exec(ref)?.groups;
  // The Hub itself forbids these two: ".." would be a path, "--" is what the cache puts between org and name.
  if (groups === undefined || /\.\.|--/.test(`${groups.org}/${groups.name}`)) return null;
  return {
    org: groups.org,
    name: groups.name,
    revision: groups.revision ?? DEFAULT_REVISION,
  };
}

/** The cache layout of huggingface_hub: models--org--name/refs/<revision> holds a commit, snapshots/<commit> the files. */
async function cachedSnapshot(ref: string, { org, name, revision }: HubId): Promise<string> {
  const cache = hubCacheDirectory();
  const repository = join(cache, `models--${org}--${name}`);
  const stored = await readFile(join(repository, 'refs', revision), 'utf8').catch(() => revision);
  const commit = stored.trim();
  const snapshot = join(repository, 'snapshots', commit);
  if (COMMIT.test(commit) && isCheckpoint(snapshot)) return snapshot;
  throw new InputError(
    `The model "${ref}" is neither a folder nor in the Hugging Face cache (looked for revision ${revision} in ${repository}); download it there or give its folder as the model.`,
  );
}

/** HF_HUB_CACHE, else `hub` in HF_HOME, else ~/.cache/huggingface/hub (XDG_CACHE_HOME counts), as in huggingface_hub. */
export function hubCacheDirectory(): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  if (HF_HUB_CACHE) return resolve(HF_HUB_CACHE);
  return join(
    resolve(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface')),
    'hub',
  );
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
