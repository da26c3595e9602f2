import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from '../errors.js';
import type { HubClient, Repository } from './client.js';
import { isDiskFault } from './disk-fault.js';
import type { HubFile } from './listing.js';
import { networkReason } from './network-fault.js';
import { backoff, pause } from './pause.js';
import { unreachable } from './refusal.js';
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
 * Asks for bytes until the file is whole, after cuts for those that are missing.
 * @param part where they go, behind what is there.
 * @returns how many came.
 */
export async function fetchRest(
  client: HubClient,
  request: BlobRequest,
  part: string,
): Promise<number> {
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
