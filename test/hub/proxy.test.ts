import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseHubReference } from '../../src/checkpoint/hub-reference.js';
import { InputError } from '../../src/errors.js';
import { pullModel } from '../../src/hub/pull.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { COMMIT, type FakeHub, hashOf, startHub } from './fake-hub.js';
import { type FakeProxy, startProxy } from './fake-proxy.js';
import { noise, useHub } from './files.js';
import { HASTE } from './haste.js';

const NAME = 'm.gguf';
const file = { content: noise(1 << 20), lfs: true };
const isWhole = (cache: string) =>
  readFileSync(join(cache, 'models--org--name/blobs', hashOf(file))).equals(file.content);
const pull = () => pullModel(parseHubReference('org/name')!, { patience: HASTE });
const basic = (both: string) => `Basic ${Buffer.from(both).toString('base64')}`;

async function start(): Promise<{ hub: FakeHub; proxy: FakeProxy; cache: string }> {
  const hub = await startHub({ [NAME]: file });
  return { hub, proxy: await startProxy(), cache: useHub(hub) };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a proxy', () => {
  it.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'])(
    'of %s is asked in place of the Hub',
    async (variable) => {
      const { hub, proxy, cache } = await start();
      vi.stubEnv(variable, `http://${proxy.host}`);
      await pull();
      expect(isWhole(cache)).toBe(true);
      expect(proxy.asked).toHaveLength(hub.asked.length);
      expect(proxy.asked.at(-1)).toBe(`GET ${hub.url}/org/name/resolve/${COMMIT}/${NAME}`);
    },
  );

  it('is not asked for the hosts of NO_PROXY, nor is that of another protocol', async () => {
    const { proxy, cache } = await start();
    vi.stubEnv('HTTPS_PROXY', `http://${proxy.host}`);
    await pull();
    vi.stubEnv('HTTP_PROXY', `http://${proxy.host}`);
    vi.stubEnv('NO_PROXY', 'example.org, 127.0.0.1');
    await pull();
    expect(isWhole(cache)).toBe(true);
    expect(proxy.asked).toEqual([]);
  });

  it('gets the name and password of its variable, which no error shows', async () => {
    const { proxy, cache } = await start();
    proxy.wants = basic('me:p@ss');
    vi.stubEnv('HTTP_PROXY', `${proxy.host}`);
    await expect(pull()).rejects.toThrow(
      `The proxy ${proxy.host} of HTTP_PROXY asks for a name and a password (407): put them into the variable, as http://NAME:PASSWORD@${proxy.host}.`,
    );
    vi.stubEnv('HTTP_PROXY', `http://me:secret@${proxy.host}`);
    await expect(pull()).rejects.toThrow(
      `The proxy ${proxy.host} of HTTP_PROXY does not accept the name and password that the variable has (407): correct them.`,
    );
    expect(proxy.asked).toHaveLength(2);
    vi.stubEnv('HTTP_PROXY', `http://me:p%40ss@${proxy.host}`);
    await pull();
    expect(isWhole(cache)).toBe(true);
  });

  it.each([
    [407, /^The proxy 127.* of HTTPS_PROXY asks for a name and a password \(407\)/, 1],
    [403, /^The proxy 127.* of HTTPS_PROXY does not let requests through to hub\.test \(403\)/, 1],
    [503, /^Cannot reach https:\/\/hub\.test \(through the proxy 127.* of HTTPS_PROXY: .*503/, 3],
  ])('that answers a tunnel with %i is told', async (status, sentence, tries) => {
    const { proxy } = await start();
    useHub({ url: 'https://hub.test' });
    vi.stubEnv('HTTPS_PROXY', `http://${proxy.host}`);
    proxy.refuses = status;
    const error = await pull().catch((error) => error);
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(sentence);
    expect(proxy.asked).toEqual(Array(tries).fill('CONNECT hub.test:443'));
  });

  it('that does not answer is told at once, with its variable', async () => {
    await start();
    vi.stubEnv('http_proxy', 'http://me:secret@127.0.0.1:9');
    const error = await pull().catch(String);
    expect(error).toMatch(
      /Cannot reach .* \(through the proxy 127\.0\.0\.1:9 of http_proxy: connect ECONNREFUSED 127\.0\.0\.1:9\): check the network, http_proxy, or HF_ENDPOINT/,
    );
    expect(error).not.toContain('secret');
  });

  it.each(['socks5://me:secret@x:1', 'http://', 'http://me:secret@x:port'])(
    '%s is none',
    async (address) => {
      await start();
      vi.stubEnv('HTTP_PROXY', address);
      const error = await pull().catch(String);
      expect(error).toMatch(/HTTP_PROXY is not the address of an HTTP proxy: give one such as/);
      expect(error).not.toContain('secret');
    },
  );
});

/** A certificate for hub.test and its key; undefined without OpenSSL. */
function certificate(folder: string): { key: string; cert: string } | undefined {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=hub.test', '-addext', 'subjectAltName=DNS:hub.test'];
  const form = ['-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert];
  const { status } = spawnSync('openssl', ['req', '-x509', ...form, ...subject]);
  return status === 0 ? { key, cert } : undefined;
}

it('has a tunnel for HTTPS, by the name of the host, and does not keep the process from ending', async ({
  skip,
}) => {
  const paths = certificate(temporaryDirectory());
  if (paths === undefined) return skip('no OpenSSL');
  const { hub, proxy, cache } = await start();
  const secure = createServer(
    { key: readFileSync(paths.key), cert: readFileSync(paths.cert) },
    (request, response) => {
      fetch(`${hub.url}${request.url}`).then(async (answer) =>
        response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer())),
      );
    },
  );
  await new Promise<void>((done) => secure.listen(0, '127.0.0.1', done));
  proxy.tunnelsTo = (secure.address() as AddressInfo).port;
  proxy.wants = basic('me:');
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--import', here('../register-typescript.mjs'), here('pull-process.ts'), 'org/name'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        ...{ HF_ENDPOINT: 'https://hub.test', NODE_EXTRA_CA_CERTS: paths.cert },
        HTTPS_PROXY: `http://me@${proxy.host}`,
      },
    },
  );
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise((done) => child.on('close', done));
  secure.close();
  expect(errors).toBe('');
  expect(code).toBe(0);
  expect(isWhole(cache)).toBe(true);
  expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT hub.test:443']));
});
