import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError } from './errors.js';

/** `error.code` of a Node system error (`ENOENT`, `ENOSPC`, ...), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** Whether a process of this machine runs, also one of another user. */
export function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Writes a whole file so that a reader sees the old content or the new, never half of it: temporary name in the same
 * folder, fsync, rename. Missing parent folders are made.
 * @throws InputError when the place cannot be written.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  try {
    // What cannot be replaced, such as /dev/null, is written to.
    if (isStream(path)) writeFileSync(path, content);
    else replaceFile(replacedBy(path), content);
  } catch (error) {
    throw new InputError(`Cannot write ${path}: ${errorMessage(error)}`);
  }
}

/** Whether a path leads to a device or a pipe. */
export function isStream(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && (stat.isCharacterDevice() || stat.isFIFO());
}

/** What is replaced when a path is written to: of a link the file that it leads to, not the link. */
export function replacedBy(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? realpathSync(path) : path;
}

function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    makeFolder(dirname(path));
    const fd = openSync(temporary, 'wx');
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    discard(temporary);
    throw error;
  }
}

/** Removes a file of ours, if it can be: one that could not even be made, because its folder is a file, needs no removing. */
export function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

/** Makes a folder and those above it. (Node's own recursive mkdir never ends where a parent refuses, as under /proc.) */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process was first.
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** The folder for files that can be made again: `$XDG_CACHE_HOME/sspec`, else `~/.cache/sspec`. */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sspec');
}

/**
 * Finds out before long work whether a file could be written at its end.
 * @throws InputError when not.
 */
export function checkWritable(path: string): void {
  let probe: string | undefined;
  try {
    if (path === '') throw new Error('the name is empty');
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
    if (isStream(path)) accessSync(path, constants.W_OK);
    else {
      makeFolder(dirname(path));
      probe = `${replacedBy(path)}.${process.pid}.tmp`;
      closeSync(openSync(probe, 'wx'));
    }
  } catch (error) {
    throw new InputError(`Cannot write ${path}: ${errorMessage(error)}`);
  } finally {
    if (probe !== undefined) discard(probe);
  }
}
