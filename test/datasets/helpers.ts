import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../helpers/temporary.js';

/** Writes a file into a new temporary folder and returns its path. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
}

/** A JSONL file of these rows. */
export function jsonl(name: string, ...rows: unknown[]): string {
  return file(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}
