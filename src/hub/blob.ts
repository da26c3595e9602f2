import { existsSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, errorMessage, makeFolder } from '../files.js';
import { hashFile, startHash } from './blob-hash.js';
import { lockBlob } from './blob-lock.js';
import type { HubClient, Repository } from './client.js';
import type { HubFile } from './listing.js';
import { backoff, pause } from './pause.js';
import { networkReason, unreachable } from './refusal.js';
import { requestHub } from './request.js';

/** Bytes that make a cut connection one that advanced, after which patience begins anew. */
const ADVANCE = 256 << 10;

/** A file that is to lie among the blobs of a repository's cache. */
export interface BlobRequest {
  readonly repository: Repository;
  readonly file: HubFile;
  /** Where the Hub has it. */
  readonly url: string;
  /** Where it goes. */
  readonly blob: string;
  readonly lock: string;
  /** Told the bytes of it that are here; fewer than before when a download begins anew. */
  readonly onBytes: (bytes: number) => void;
}

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

/** Asks for bytes until the file is whole, after cuts for those that are missing. */
async function fetchRest(client: HubClient, request: BlobRequest, part: string): Promise<number> {
  const { file } = request;
  const handle = await openPart(part, file.size);
  try {
    let { size: at } = await handle.stat();
    let received = 0;
    request.onBytes(at);
    for (let attempt = 1; at < file.size; attempt++) {
      const before = at;
      try {
        for await (const piece of pieces(client, request, at)) {
          if (piece.at !== undefined) {
            // The server does not go on where it was asked to.
            if (piece.at !== at) await handle.truncate(piece.at);
            at = piece.at;
            continue;
          }
          if (at + piece.bytes.length > file.size)
            throw new InputError(
              `${client.endpoint} sends more of ${file.path} than the ${file.size} bytes that it tells: try again.`,
            );
          await writeWhole(handle, piece.bytes, at);
          at += piece.bytes.length;
          received += piece.bytes.length;
          request.onBytes(at);
        }
        if (at < file.size) throw new Error('the answer ended early');
      } catch (error) {
        client.signal.throwIfAborted();
        if (error instanceof InputError || isDiskFault(error)) throw error;
        if (at - before >= ADVANCE) attempt = 1;
        if (attempt >= client.patience.attempts) throw unreachable(client, error);
        const reason = `the connection was cut (${networkReason(error)})`;
        await pause(client, backoff(attempt, client.patience), reason);
      }
    }
    await handle.sync();
    return received;
  } finally {
    await handle.close();
  }
}

type Piece =
  | { readonly at: number }
  | { readonly at?: undefined; readonly bytes: Uint8Array<ArrayBuffer> };

/** One request for the bytes from `start` on: where the answer begins, then its bytes. */
async function* pieces(
  client: HubClient,
  { repository, url }: BlobRequest,
  start: number,
): AsyncGenerator<Piece> {
  const silent = new AbortController();
  const { silence } = client.patience;
  const restart = () =>
    setTimeout(() => silent.abort(new Error(`silent for ${silence} s`)), silence * 1000);
  const signal = AbortSignal.any([client.signal, silent.signal]);
  const response = await requestHub(client, repository, url, {
    // As it lies there: positions count in the file's own bytes.
    headers: {
      'Accept-Encoding': 'identity',
      ...(start > 0 ? { Range: `bytes=${start}-` } : {}),
    },
    ...{ signal, underWay: true, accepts: [416] },
  });
  // 416: it has no such bytes, so what is here is of another file.
  const begin = response.status === 206 ? rangeStart(response, start) : 0;
  if (response.status === 416 || begin === undefined) {
    await response.body?.cancel();
    yield { at: 0 };
    throw new Error('it does not know the range');
  }
  yield { at: begin };
  let timer = restart();
  try {
    for await (const bytes of response.body ?? []) {
      clearTimeout(timer);
      yield { bytes };
      timer = restart();
    }
  } finally {
    clearTimeout(timer);
    await response.body?.cancel().catch(() => {});
  }
}

/** First byte of a partial answer; undefined when it is not the one that was asked for. */
function rangeStart(response: Response, wanted: number): number | undefined {
  const text = response.headers.get('Content-Range') ?? '';
  return Number(/^bytes (\d+)-/.exec(text)?.[1]) === wanted ? wanted : undefined;
}

async function openPart(part: string, size: number): Promise<FileHandle> {
  const handle = await open(part, existsSync(part) ? 'r+' : 'wx+');
  if ((await handle.stat()).size > size) await handle.truncate(0);
  return handle;
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}

function isDiskFault(error: unknown): boolean {
  return /^E(NOSPC|DQUOT|FBIG|ROFS|IO|ACCES|PERM|NOENT|BADF)$/.test(errorCode(error) ?? '');
}

function diskFault(error: unknown, blob: string): unknown {
  const code = errorCode(error);
  if (error instanceof InputError || code === undefined) return error;
  const folder = dirname(blob);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new InputError(
      `The disk of ${folder} is full: make room and run this again, it goes on from there (or set HF_HUB_CACHE to another disk).`,
    );
  return new InputError(`Cannot write ${join(folder, basename(blob))}: ${errorMessage(error)}`);
}
