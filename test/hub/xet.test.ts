import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseHubReference } from '../../src/checkpoint/hub-reference.js';
import { pullModel } from '../../src/hub/pull.js';
import { cutFile, type FakeHub, hashOf, rangeStart, refuse, startHub } from './fake-hub.js';
import { type FakeXet, startXet } from './fake-xet.js';
import { miniatureFiles, noise, useHub } from './files.js';
import { HASTE } from './haste.js';

const NAME = 'm.gguf';
const file = { content: noise(3 << 20), lfs: true, xetHash: 'e'.repeat(64) };
const pull = (onWait = (_: string) => {}) =>
  pullModel(parseHubReference('org/name')!, { patience: HASTE, onWait });
const blobOf = (cache: string) => join(cache, 'models--org--name/blobs', hashOf(file));
const isWhole = (cache: string) => readFileSync(blobOf(cache)).equals(file.content);

async function start(): Promise<{ hub: FakeHub; xet: FakeXet; cache: string }> {
  const hub = await startHub({ [NAME]: file });
  return { hub, xet: await startXet(hub), cache: useHub(hub) };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('files that Xet keeps', () => {
  it('come from the bridge, without the token, checked by the hash that the Hub tells', async () => {
    const files = miniatureFiles();
    const weights = files['model.safetensors']!;
    const hub = await startHub({ ...files, 'model.safetensors': { ...weights, xetHash: 'f0' } });
    const xet = await startXet(hub);
    const cache = useHub(hub);
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    const { directory } = await pull();
    for (const [name, { content }] of Object.entries(files))
      expect(readFileSync(join(directory, name)).equals(content)).toBe(true);
    expect(readFileSync(join(cache, 'models--org--name/blobs', hashOf(weights)))).toBeTruthy();
    expect(xet.asked).toEqual([
      { path: '/xet-bridge-us/0123/f0', range: undefined, authorization: undefined },
    ]);
  });

  it('are asked of the Hub again after a cut, as an address is signed for a time', async () => {
    const { xet, cache } = await start();
    xet.intercept = (_path, response, { headers: { range } }) => {
      if (xet.signed.length > 2) return false;
      cutFile(response, file.content, 1_200_000, range);
      return true;
    };
    const { receivedBytes } = await pull();
    expect(isWhole(cache)).toBe(true);
    expect(receivedBytes).toBe(file.content.length);
    expect(xet.signed).toHaveLength(3);
    const starts = xet.asked.map(({ range }) => rangeStart(range));
    expect(starts).toHaveLength(3);
    expect(starts[1]).toBeGreaterThan(0);
    expect(starts[2]).toBeGreaterThan(starts[1]!);
  });

  it('are asked of the Hub again where it gave out an address that is over', async () => {
    const { xet, cache } = await start();
    xet.intercept = (_path, response, { headers: { range } }) => {
      if (xet.signed.length > 1) return false;
      cutFile(response, file.content, 1_200_000, range);
      xet.stale = 1;
      return true;
    };
    const waits: string[] = [];
    await pull((reason) => waits.push(reason));
    expect(isWhole(cache)).toBe(true);
    expect(xet.signed).toHaveLength(2);
    expect(xet.asked).toHaveLength(3);
    expect(waits.join()).toMatch(/127\.0\.0\.1:\d+ fails \(403\), waiting 1 s/);
  });

  it.each([403, 404, 401])('%i of the bridge is not told as the Hub’s own', async (status) => {
    const { hub, xet } = await start();
    xet.intercept = (_path, response) => {
      refuse(response, status);
      return true;
    };
    const error = await pull().catch(String);
    expect(String(error).replaceAll(hub.url, 'HUB')).toMatch(
      new RegExp(
        `127\\.0\\.0\\.1:\\d+, where HUB has files of the model org/name, answers with status ${status} after 3 tries`,
      ),
    );
    expect(xet.signed).toHaveLength(3);
  });

  it('that are not what the Hub tells of them are not kept', async () => {
    const { xet } = await start();
    xet.intercept = (_path, response) => {
      response.writeHead(200, { ETag: `"${file.xetHash}"` }).end(noise(3 << 20).fill(0, 5, 6));
      return true;
    };
    await expect(pull()).rejects.toThrow(/m\.gguf arrived twice with another content/);
  });
});
