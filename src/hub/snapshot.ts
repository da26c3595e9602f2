import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, errorMessage, makeFolder, writeFileAtomic } from '../files.js';

/**
 * Gives a blob its name in a snapshot: by a relative link, which other tools expect; where the system allows none (Windows
 * without the right to) by a second name of the same file, else by a copy.
 * @throws InputError when the folder cannot be written
 */
export async function placeInSnapshot(blob: string, path: string): Promise<void> {
  const target = relative(dirname(path), blob);
  try {
    if ((await readlink(path).catch(() => undefined)) === target) return;
    makeFolder(dirname(path));
    const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      await symlink(target, temporary)
        .catch(() => link(blob, temporary))
        .catch(() => copyFile(blob, temporary, constants.COPYFILE_FICLONE));
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new InputError(`Cannot write ${path}: ${errorMessage(error)}`);
  }
}

/** Remembers which commit a branch or tag stands for; a commit stands for itself. */
export async function recordRevision(
  repository: string,
  revision: string,
  commit: string,
): Promise<void> {
  if (revision === commit) return;
  const path = join(repository, 'refs', revision);
  // A branch that has become a folder of branches, or the other way round.
  if ((await stat(path).catch(() => undefined))?.isDirectory()) await rm(path, { recursive: true });
  writeFileAtomic(path, commit);
}
