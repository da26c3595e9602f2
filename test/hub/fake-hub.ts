import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** What a test has the Hub keep. */
export interface FakeFile {
  readonly content: Buffer;
  /** Large files have a SHA-256 and lie elsewhere. */
  readonly lfs?: boolean;
  /** Large files that Xet keeps have its hash, too, which is no hash of their bytes. */
  readonly xetHash?: string;
}

export interface Asked {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** Answers a request itself, or leaves it to the Hub (false). */
export type Intercept = (
  path: string,
  response: ServerResponse,
  request: IncomingMessage,
) => boolean;

export interface FakeHub {
  readonly url: string;
  readonly files: Map<string, FakeFile>;
  /** All requests. */
  readonly asked: Asked[];
  intercept: Intercept;
  close(): void;
}

const open: FakeHub[] = [];
afterAll(() => {
  for (const hub of open.splice(0)) hub.close();
});

export function hashOf({ content, lfs }: FakeFile): string {
  if (lfs) return createHash('sha256').update(content).digest('hex');
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** The endpoints of the Hub that a download asks, for one repository `org/name` with the branch main at COMMIT. */
export async function startHub(
  files: Readonly<Record<string, FakeFile>>,
  kind: 'models' | 'datasets' = 'models',
  id = 'org/name',
): Promise<FakeHub> {
  const asked: Asked[] = [];
  const prefix = kind === 'models' ? '' : `${kind}/`;
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname);
    const { range, authorization } = request.headers;
    asked.push({ path, range, authorization });
    if (hub.intercept(path, response, request)) return;
    const api = `/api/${kind}/${id}`;
    const resolved = `/${prefix}${id}/resolve/${COMMIT}/`;
    const revision = `${api}/revision/`;
    if (path.startsWith(revision)) {
      const wanted = path.slice(revision.length);
      if (wanted !== 'main' && wanted !== COMMIT) return refuse(response, 404, 'RevisionNotFound');
      return sendJson(response, { _id: '1', id, sha: COMMIT, private: false, gated: false });
    }
    if (path === `${api}/tree/${COMMIT}`) return sendJson(response, listing(hub.files));
    const file = hub.files.get(path.slice(resolved.length));
    if (path.startsWith(resolved) && file) return sendFile(response, file.content, range);
    refuse(response, 404, path.startsWith(resolved) ? 'EntryNotFound' : 'RepoNotFound');
  });
  const hub: FakeHub = {
    url: '',
    files: new Map(Object.entries(files)),
    asked,
    intercept: () => false,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push(hub);
  const { port } = server.address() as AddressInfo;
  return Object.assign(hub, { url: `http://127.0.0.1:${port}` });
}

export function refuse(response: ServerResponse, status: number, code?: string): void {
  response.writeHead(status, code === undefined ? {} : { 'X-Error-Code': code });
  response.end('{}');
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(value));
}

function listing(files: ReadonlyMap<string, FakeFile>): unknown[] {
  const folder = { type: 'directory', path: 'onnx', size: 0, oid: COMMIT };
  return [
    folder,
    ...[...files].map(([path, file]) => {
      const { length } = file.content;
      if (!file.lfs) return { type: 'file', path, size: length, oid: hashOf(file) };
      const lfs = { oid: hashOf(file), size: length, pointerSize: 130 };
      return { type: 'file', path, size: length, oid: COMMIT, lfs, xetHash: file.xetHash };
    }),
  ];
}

/** A file or the rest of it, as a range asks. */
export function sendFile(response: ServerResponse, content: Buffer, range?: string): void {
  const start = rangeStart(range);
  if (start >= content.length && range !== undefined) return void response.writeHead(416).end();
  response.writeHead(range === undefined ? 200 : 206, {
    'Content-Length': content.length - start,
    ...(range === undefined
      ? {}
      : { 'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}` }),
  });
  response.end(content.subarray(start));
}

export function rangeStart(range: string | undefined): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
}

/** Announces the whole rest and sends only `count` bytes of it before the connection is cut. */
export function cutFile(
  response: ServerResponse,
  content: Buffer,
  count: number,
  range?: string,
): void {
  const start = rangeStart(range);
  response.writeHead(range === undefined ? 200 : 206, {
    'Content-Length': content.length - start,
    ...(range === undefined
      ? {}
      : { 'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}` }),
  });
  response.flushHeaders();
  if (count > 0) response.write(content.subarray(start, start + count));
  // What has not been read when the cut comes is lost; how much that is depends on the machine.
  setTimeout(() => response.destroy(), 50);
}
