import { rmSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../errors.js';
import { makeFolder } from '../files.js';
import { hashFile, startHash } from './blob-hash.js';
import { lockBlob } from './blob-lock.js';
import { type BlobRequest, fetchRest } from './blob-transfer.js';
import type { HubClient } from './client.js';
import { diskFault } from './disk-fault.js';
import type { HubFile } from './listing.js';

/**
 * The unfinished file beside a blob. Other tools have a name of their own there and may write such a file with holes, so
 * theirs is no beginning to go on from.
 */
export function incompletePath(blob: string): string {
  return `${blob}.sspec.incomplete`;
}

/** Bytes of a blob that are here. */
export function bytesHere(blob: string, { size }: HubFile): number {
  const here = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return here(blob) === size ? size : Math.min(size, here(incompletePath(blob)));
}

/**
 * Downloads one file, going on from what an earlier download left, and checks its size and hash.
 *
 * A blob has its name only when it is whole, checked and on the disk. Two processes take turns by a lock.
 * @returns the bytes that were asked for
 * @throws InputError for what the Hub, the network or the disk refuses, and for a wrong hash twice in a row
 */
export async function downloadBlob(client: HubClient, request: BlobRequest): Promise<number> {
  const { file, blob, onBytes } = request;
  const isHere = () => statSync(blob, { throwIfNoEntry: false })?.size === file.size;
  const part = incompletePath(blob);
  try {
    if (!isHere()) {
      makeFolder(dirname(blob));
      let waited = false;
      const release = await lockBlob(request.lock, {
        signal: client.signal,
        watched: part,
        onWait: (holder) => {
          waited = true;
          client.onWait(`${holder} downloads ${file.path}`);
          onBytes(bytesHere(blob, file));
        },
      });
      if (waited) client.onWait('');
      try {
        if (!isHere()) return await complete(client, request, part);
      } finally {
        release();
      }
    }
    onBytes(file.size);
    return 0;
  } catch (error) {
    client.signal.throwIfAborted();
    throw diskFault(error, blob);
  }
}

/** Under the lock: fetches what is missing, checks, and gives the blob its name. */
async function complete(client: HubClient, request: BlobRequest, part: string): Promise<number> {
  const { file, blob } = request;
  let received = 0;
  for (let attempt = 1; ; attempt++) {
    received += await fetchRest(client, request, part);
    const hash = startHash(file);
    // From the disk, not as it came: what was written is what counts.
    await hashFile(hash, part, client.signal);
    if (hash.digest('hex') === file.hash) break;
    rmSync(part, { force: true });
    request.onBytes(0);
    if (attempt === 2)
      throw new InputError(
        `${file.path} arrived twice with another content than ${client.endpoint} tells (its ${file.algorithm === 'sha256' ? 'SHA-256' : 'git hash'} should be ${file.hash}): it was deleted; try again, or another HF_ENDPOINT.`,
      );
  }
  await rename(part, blob);
  return received;
}
