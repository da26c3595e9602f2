/** Real inputs to begin with: files of this repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../../src/package-root.js';
import type { Json } from '../mutate-json.js';

/** Bytes of a file of the repository. */
export function bytesOf(...path: string[]): Buffer {
  return readFileSync(join(packageRoot(), ...path));
}

export function textOf(...path: string[]): string {
  return bytesOf(...path).toString('utf8');
}

export function jsonOf(...path: string[]): Json {
  return JSON.parse(textOf(...path));
}

const FAMILIES = join('test', 'data', 'families');

/** Folders of small checkpoints, one of each family. */
export const families: readonly string[] = readdirSync(join(packageRoot(), FAMILIES))
  .map((name) => join(FAMILIES, name))
  .filter((folder) => existsSync(join(packageRoot(), folder, 'config.json')));
