import { COMMIT, type FakeHub, hashOf, refuse, sendFile, startHub } from './fake-hub.js';

/** What keeps a Hub's files that Xet has, for clients that do not speak its protocol. */
export interface FakeXet {
  /** Answers requests with a good signature; default: sends the file. */
  intercept: FakeHub['intercept'];
  readonly asked: FakeHub['asked'];
  /** Signatures that the Hub has given out; each opens one request. */
  readonly signed: string[];
  /** The Hub gives out the same address again so many times, as out of a cache. */
  stale: number;
}

/**
 * Has a fake Hub send to a bridge for its large files, as the Hub does for those that Xet keeps: with a redirect to a signed
 * address. Small ones it has in a cache of its own.
 */
export async function startXet(hub: FakeHub, id = 'org/name'): Promise<FakeXet> {
  const storage = await startHub({});
  const xet: FakeXet = { intercept: () => false, asked: storage.asked, signed: [], stale: 0 };
  const opened = new Set<string>();
  storage.intercept = (path, response, request) => {
    const signature = new URL(request.url ?? '', storage.url).searchParams.get('Signature') ?? '';
    const file = [...hub.files.values()].find(({ xetHash }) => path.endsWith(`/${xetHash}`));
    // A signed address takes no other credentials.
    const mayNot = !xet.signed.includes(signature) || opened.has(signature);
    if (file === undefined || mayNot || request.headers.authorization !== undefined) {
      response.setHeader('Content-Type', 'application/xml');
      response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
      return true;
    }
    opened.add(signature);
    if (xet.intercept(path, response, request)) return true;
    response.setHeader('ETag', `"${file.xetHash}"`);
    sendFile(response, file.content, request.headers.range);
    return true;
  };
  const resolved = `/${id}/resolve/${COMMIT}/`;
  const cached = `/api/resolve-cache/models/${id}/${COMMIT}/`;
  hub.intercept = (path, response, request) => {
    if (path.startsWith(cached)) {
      const file = hub.files.get(path.slice(cached.length));
      if (file === undefined) refuse(response, 404, 'EntryNotFound');
      else sendFile(response, file.content, request.headers.range);
      return true;
    }
    if (!path.startsWith(resolved)) return false;
    const name = path.slice(resolved.length);
    const file = hub.files.get(name);
    if (file === undefined) return false;
    const own = { 'X-Repo-Commit': COMMIT, 'Content-Type': 'text/plain; charset=utf-8' };
    const { xetHash } = file;
    if (xetHash === undefined) {
      const etag = `"${hashOf(file)}"`;
      response.writeHead(307, { ...own, ETag: etag, Location: `${cached}${name}?etag=${etag}` });
      response.end('Temporary Redirect');
      return true;
    }
    if (xet.signed.length > 0 && xet.stale > 0) xet.stale--;
    else xet.signed.push(`s${xet.signed.length}`);
    const api = `${hub.url}/api/models/${id}/xet-read-token/${COMMIT}`;
    response.writeHead(302, {
      ...own,
      'X-Linked-Size': file.content.length,
      'X-Linked-Etag': `"${hashOf(file)}"`,
      'X-Xet-Hash': xetHash,
      Link: `<${api}>; rel="xet-auth", <${storage.url}/v1/reconstructions/${xetHash}>; rel="xet-reconstruction-info"`,
      Location: `${storage.url}/xet-bridge-us/0123/${xetHash}?X-Xet-Cas-Uid=public&Expires=3600&Signature=${xet.signed.at(-1)}`,
    });
    response.end('Found');
    return true;
  };
  return xet;
}
