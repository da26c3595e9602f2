import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { temporaryDirectory } from './temporary.js';

const PAGE = 4096;
const FILLER = 'filler';

const mounted: string[] = [];
afterAll(() => {
  for (const folder of mounted.splice(0)) spawnSync('umount', [folder]);
});

/** Whether this user may mount file systems. */
export const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0;

/** A file system of its own that has room for so many pages of 4 KiB, and then is full. */
export function smallDisk(pages: number): string {
  const folder = join(temporaryDirectory(), 'disk');
  mkdirSync(folder);
  const size = `size=${(pages + 1) * PAGE}`;
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder]);
  if (status !== 0) throw new Error(`mount: ${stderr}`);
  mounted.push(folder);
  writeFileSync(join(folder, FILLER), Buffer.alloc(PAGE));
  return folder;
}

/** What is on it. */
export function filesOn(disk: string): string[] {
  return readdirSync(disk).filter((name) => name !== FILLER);
}
