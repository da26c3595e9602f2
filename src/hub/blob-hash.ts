import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { HubFile } from './listing.js';

/** The hash that the Hub tells of a file: SHA-256 of a large one (LFS), of others the SHA-1 that git has for them. */
export function startHash({ algorithm, size }: HubFile): Hash {
  if (algorithm === 'sha256') return createHash('sha256');
  return createHash('sha1').update(`blob ${size}\0`);
}

/** Adds a file's bytes to a hash. */
export async function hashFile(hash: Hash, path: string, signal: AbortSignal): Promise<void> {
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1 << 20 }))
    hash.update(chunk);
}
