import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseHubReference } from '../../src/checkpoint/hub-reference.js';
import { InputError } from '../../src/errors.js';
import { incompletePath } from '../../src/hub/blob.js';
import type { PullOptions } from '../../src/hub/client.js';
import { obtainModel } from '../../src/hub/obtain.js';
import { pullModel } from '../../src/hub/pull.js';
import {
  COMMIT,
  cutFile,
  type FakeHub,
  hashOf,
  rangeStart,
  refuse,
  sendFile,
  startHub,
} from './fake-hub.js';
import { noise, useHub } from './files.js';
import { HASTE } from './haste.js';

const NAME = 'm.gguf';
const file = { content: noise(3 << 20), lfs: true };
const resolved = `/org/name/resolve/${COMMIT}/${NAME}`;
const blobs = (cache: string) => join(cache, 'models--org--name/blobs');
const blobOf = (cache: string) => join(blobs(cache), hashOf(file));

async function start(): Promise<{ hub: FakeHub; cache: string }> {
  const hub = await startHub({ [NAME]: file });
  return { hub, cache: useHub(hub) };
}

const pull = (options: PullOptions = {}) =>
  pullModel(parseHubReference('org/name')!, { patience: HASTE, ...options });
const ranges = (hub: FakeHub) =>
  hub.asked.filter(({ path }) => path === resolved).map(({ range }) => range);
/** Not by `toEqual`, which compares millions of bytes one by one. */
const isWhole = (cache: string) => readFileSync(blobOf(cache)).equals(file.content);

/** Answers the first requests for the file itself; `turn` counts from 0. */
function answering(
  hub: FakeHub,
  answer: (turn: number, ...rest: Parameters<FakeHub['intercept']>) => boolean,
): void {
  let turn = 0;
  hub.intercept = (path, ...rest) => path === resolved && answer(turn++, path, ...rest);
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a connection that is cut', () => {
  it('is gone on from where it was, and no byte is asked for twice', async () => {
    const { hub, cache } = await start();
    answering(hub, (turn, _, response, { headers: { range } }) => {
      if (turn < 2) cutFile(response, file.content, 1_400_000, range);
      return turn < 2;
    });
    // Two tries would not do for two cuts, were patience not to begin anew with each advance.
    const { receivedBytes } = await pull({ patience: { ...HASTE, attempts: 2 } });
    expect(isWhole(cache)).toBe(true);
    const [first, ...later] = ranges(hub).map(rangeStart);
    expect(first).toBe(0);
    expect(later).toHaveLength(2);
    expect(later[0]).toBeGreaterThan(0);
    expect(later[1]).toBeGreaterThan(later[0]);
    // All that came was kept, and nothing came twice.
    expect(receivedBytes).toBe(file.content.length);
  });

  it('again and again without advance ends the download, and the next one goes on', async () => {
    const { hub, cache } = await start();
    answering(hub, (turn, _, response, { headers: { range } }) => {
      cutFile(response, file.content, turn === 0 ? 1000 : 0, range);
      return true;
    });
    await expect(pull()).rejects.toThrow(/^Cannot reach http:.*check the network, or HF_ENDPOINT/);
    expect(ranges(hub)).toEqual([undefined, 'bytes=1000-', 'bytes=1000-']);
    expect(existsSync(blobOf(cache))).toBe(false);
    hub.intercept = () => false;
    hub.asked.length = 0;
    expect((await pull()).receivedBytes).toBe(file.content.length - 1000);
    expect(ranges(hub)).toEqual(['bytes=1000-']);
    expect(isWhole(cache)).toBe(true);
  });

  it('counts as cut when nothing comes any more', async () => {
    const { hub, cache } = await start();
    answering(hub, (turn, _, response) => {
      if (turn > 0) return false;
      response.writeHead(200, { 'Content-Length': file.content.length });
      response.write(file.content.subarray(0, 5000));
      return true;
    });
    await pull({ patience: { ...HASTE, silence: 0.3 } });
    expect(ranges(hub)).toEqual([undefined, 'bytes=5000-']);
    expect(isWhole(cache)).toBe(true);
  });

  it('of a server that knows no ranges begins anew', async () => {
    const { hub, cache } = await start();
    answering(hub, (turn, _, response) => {
      if (turn === 0) cutFile(response, file.content, 4000);
      else sendFile(response, file.content);
      return true;
    });
    await pull();
    expect(ranges(hub)).toEqual([undefined, 'bytes=4000-']);
    expect(isWhole(cache)).toBe(true);
  });

  it('after a new beginning leaves no more than came since', async () => {
    const { hub, cache } = await start();
    answering(hub, (turn, _, response) => {
      if (turn < 2) cutFile(response, file.content, turn === 0 ? 4000 : 1000);
      else refuse(response, 502);
      return true;
    });
    await expect(pull()).rejects.toThrow(/status 502/);
    expect(statSync(incompletePath(blobOf(cache))).size).toBe(1000);
  });

  it('in the listing is asked again', async () => {
    const { hub, cache } = await start();
    let cuts = 0;
    hub.intercept = (path, response) => {
      if (!path.includes('/tree/') || cuts++ > 0) return false;
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 5000 });
      response.write('[', () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    await pull();
    expect(isWhole(cache)).toBe(true);
  });
});

describe('content that is not what was told', () => {
  it('is deleted and asked for once more', async () => {
    const { hub, cache } = await start();
    answering(hub, (turn, _, response) => {
      if (turn === 0) sendFile(response, Buffer.alloc(file.content.length));
      return turn === 0;
    });
    await pull();
    expect(isWhole(cache)).toBe(true);
    expect(ranges(hub)).toEqual([undefined, undefined]);
  });

  it('twice is an error, and nothing of it stays', async () => {
    const { hub, cache } = await start();
    answering(hub, (_turn, _, response) => {
      sendFile(response, Buffer.alloc(file.content.length));
      return true;
    });
    await expect(pull()).rejects.toThrow(/m\.gguf arrived twice with another content .*SHA-256/);
    expect(readdirSync(blobs(cache))).toEqual([]);
    expect(existsSync(join(cache, 'models--org--name/snapshots'))).toBe(false);
  });

  it('from an earlier download of something else is not gone on from for good', async () => {
    const { hub, cache } = await start();
    mkdirSync(blobs(cache), { recursive: true });
    for (const left of [Buffer.alloc(1000), Buffer.alloc(file.content.length + 5)]) {
      writeFileSync(incompletePath(blobOf(cache)), left);
      await pull();
      expect(isWhole(cache)).toBe(true);
      writeFileSync(blobOf(cache), 'short');
    }
    // What is there with another size is replaced.
    await pull();
    expect(isWhole(cache)).toBe(true);
    expect(ranges(hub)[0]).toBe('bytes=1000-');
  });

  it('is the git hash for small files', async () => {
    const { hub, cache } = await start();
    const small = { content: noise(2000) };
    hub.files.set(NAME, small);
    await pull();
    expect(readFileSync(join(blobs(cache), hashOf(small)))).toEqual(small.content);
    hub.files.set(NAME, { content: noise(2001) });
    answering(hub, (_turn, _, response) => {
      sendFile(response, Buffer.alloc(2001));
      return true;
    });
    await expect(pull()).rejects.toThrow(/git hash should be/);
  });

  it('more than was told is an error', async () => {
    const { hub } = await start();
    answering(hub, (_turn, _, response) => {
      sendFile(response, noise((3 << 20) + 1));
      return true;
    });
    await expect(pull()).rejects.toThrow(/sends more of m\.gguf than the 3145728 bytes/);
  });
});

describe('what the Hub refuses', () => {
  const refusing = async (status: number, code: string | undefined, token = '') => {
    const { hub } = await start();
    vi.stubEnv('HF_TOKEN', token);
    hub.intercept = (_path, response) => {
      refuse(response, status, code);
      return true;
    };
    const error = await pull().catch((error) => error);
    expect(error).toBeInstanceOf(InputError);
    return { message: String(error.message).replaceAll(hub.url, 'HUB'), tries: hub.asked.length };
  };

  it.each([
    [401, 'GatedRepo', '', /is gated: accept its conditions at HUB\/org\/name, then set HF_TOKEN/],
    [403, 'GatedRepo', 'hf_x', /account of your token has no access: accept its conditions at HUB/],
    [401, 'RepoNotFound', '', /neither a folder here nor a model on HUB.*then set HF_TOKEN/],
    [404, 'RepoNotFound', 'hf_x', /a private one that your token may not read: check the name/],
    [404, undefined, '', /"org\/name" is neither a folder here nor a model on HUB/],
    [401, undefined, 'hf_x', /HUB does not accept your token \(HF_TOKEN/],
    [404, 'RevisionNotFound', '', /has no revision "main": see its branches and tags at HUB/],
    [403, undefined, '', /HUB forbids access to the model org\/name/],
    [418, undefined, '', /answers with status 418/],
  ])('%s %s', async (status, code, token, sentence) => {
    const { message, tries } = await refusing(status, code, token);
    expect(message).toMatch(sentence);
    expect(message).toMatch(/^[^\n]+\.$/);
    expect(tries).toBe(1);
  });

  it('5xx is tried again a bounded number of times', async () => {
    const { message, tries } = await refusing(502, undefined);
    expect(message).toMatch(/answers with status 502 for the model org\/name after 3 tries/);
    expect(tries).toBe(3);
    const { hub, cache } = await start();
    answering(hub, (turn, _, response) => {
      if (turn < 2) refuse(response, 503);
      return turn < 2;
    });
    await pull();
    expect(isWhole(cache)).toBe(true);
  });

  it('429 is waited for as it asks, and told', async () => {
    const { hub, cache } = await start();
    answering(hub, (turn, _, response) => {
      if (turn === 0) response.setHeader('Retry-After', '1');
      if (turn === 1) response.setHeader('RateLimit', '"resolvers";r=0;t=1');
      if (turn < 2) refuse(response, 429);
      return turn < 2;
    });
    const told: string[] = [];
    const began = performance.now();
    await pull({ onWait: (reason) => told.push(reason) });
    expect(performance.now() - began).toBeGreaterThan(1900);
    expect(isWhole(cache)).toBe(true);
    const sentence = `${hub.url} has had too many requests, waiting 1 s`;
    expect(told).toEqual([sentence, '', sentence, '']);
  });

  it('429 for longer than anybody waits ends at once', async () => {
    const { hub } = await start();
    answering(hub, (_turn, _, response) => {
      response.setHeader('Retry-After', new Date(Date.now() + 3600_000).toUTCString());
      refuse(response, 429);
      return true;
    });
    await expect(pull()).rejects.toThrow(
      /asks to wait 3\d\d\d s: run this again then, or set HF_TOKEN/,
    );
    expect(ranges(hub)).toHaveLength(1);
  });

  it('and answers that are none of the Hub are told', async () => {
    const { hub } = await start();
    hub.intercept = (_path, response) => {
      response.end('<html>Please pay</html>');
      return true;
    };
    await expect(pull()).rejects.toThrow(/something that is not JSON: check HF_ENDPOINT/);
    hub.intercept = (_path, response) => {
      response.end('{"sha": "main"}');
      return true;
    };
    await expect(pull()).rejects.toThrow(/does not answer as the Hub does/);
    hub.intercept = (_path, response) => {
      response.end('null');
      return true;
    };
    await expect(pull()).rejects.toThrow(/does not answer as the Hub does .*check HF_ENDPOINT/);
    hub.close();
    await expect(pull()).rejects.toThrow(/^Cannot reach .*ECONNREFUSED.*with --offline only/);
    await expect(obtainModel('models/typo', { patience: HASTE })).rejects.toThrow(
      /^The model "models\/typo" is neither a folder here nor in .* cannot be downloaded: Cannot/,
    );
    vi.stubEnv('HF_ENDPOINT', 'ftp://x');
    await expect(pull()).rejects.toThrow(/HF_ENDPOINT is "ftp:\/\/x": give the address/);
  });
});

describe('the token', () => {
  it('goes to the Hub, and nowhere that it redirects to', async () => {
    const { hub, cache } = await start();
    const elsewhere = await startHub({});
    elsewhere.intercept = (_path, response, { headers: { range } }) => {
      sendFile(response, file.content, range);
      return true;
    };
    answering(hub, (turn, _, response, { headers: { range } }) => {
      if (turn === 0) cutFile(response, file.content, 100, range);
      else response.writeHead(302, { Location: `${elsewhere.url}/signed?x=1` }).end();
      return true;
    });
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    await pull();
    expect(isWhole(cache)).toBe(true);
    expect(hub.asked.every(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true);
    // The range goes along.
    expect(elsewhere.asked).toEqual([
      { path: '/signed', range: 'bytes=100-', authorization: undefined },
    ]);
  });

  it('stays for a redirect on the Hub itself, as of a model with a new name', async () => {
    const { hub, cache } = await start();
    hub.intercept = (path, response) => {
      const at = path.indexOf('/resolve/');
      if (at < 0 || path.startsWith('/new')) return false;
      response.writeHead(307, { Location: `/new/name${path.slice(at)}` }).end();
      return true;
    };
    const original = hub.intercept;
    hub.intercept = (path, response, request) => {
      if (!path.startsWith('/new')) return original(path, response, request);
      sendFile(response, file.content, request.headers.range);
      return true;
    };
    mkdirSync(join(cache, '..'), { recursive: true });
    writeFileSync(join(cache, '..', 'token'), 'hf_file\n');
    await pull();
    expect(isWhole(cache)).toBe(true);
    expect(hub.asked.at(-1)).toMatchObject({ authorization: 'Bearer hf_file' });
  });

  it('is not sent where a listing goes on elsewhere', async () => {
    const { hub } = await start();
    const elsewhere = await startHub({});
    elsewhere.intercept = (_path, response) => {
      response.end('[]');
      return true;
    };
    hub.intercept = (path, response) => {
      if (path.includes('/tree/'))
        response.setHeader('Link', `<${elsewhere.url}/next>; rel="next"`);
      return false;
    };
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    await pull();
    expect(elsewhere.asked).toMatchObject([{ path: '/next', authorization: undefined }]);
  });

  it('that no header can carry is refused without being shown', async () => {
    await start();
    vi.stubEnv('HF_TOKEN', 'hf_a b');
    const error = await pull().catch(String);
    expect(error).toMatch(/has characters that no token has/);
    expect(error).not.toContain('hf_a');
  });

  it('a circle of redirects ends', async () => {
    const { hub } = await start();
    answering(hub, (_turn, path, response) => {
      response.writeHead(302, { Location: path }).end();
      return true;
    });
    await expect(pull()).rejects.toThrow(/redirects in a circle/);
  });
});

describe('a full disk', () => {
  it.skipIf(!existsSync('/dev/full'))('is told, and keeps what is there', async () => {
    const { cache } = await start();
    mkdirSync(blobs(cache), { recursive: true });
    symlinkSync('/dev/full', incompletePath(blobOf(cache)));
    await expect(pull()).rejects.toThrow(
      /^The disk of .*blobs is full: make room and run this again/,
    );
    expect(existsSync(blobOf(cache))).toBe(false);
    expect(readdirSync(join(cache, '.locks/models--org--name'))).toEqual([]);
  });

  it('is told before the first byte where the size says so', async () => {
    const { hub } = await start();
    hub.intercept = (path, response) => {
      if (!path.includes('/tree/')) return false;
      const lfs = { oid: hashOf(file), size: 9e15 };
      response.end(JSON.stringify([{ type: 'file', path: NAME, size: 9e15, oid: COMMIT, lfs }]));
      return true;
    };
    await expect(pull()).rejects.toThrow(/9000000\.0 GB are to be downloaded, but the disk of/);
    expect(ranges(hub)).toEqual([]);
  });

  it('a folder that cannot be written is told', async () => {
    const { cache } = await start();
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, 'models--org--name'), '');
    await expect(pull()).rejects.toThrow(/^Cannot write .*models--org--name/);
  });
});
