import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type MiniatureOptions, writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import type { FakeFile, FakeHub } from './fake-hub.js';

const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'];

/** A cache of its own, a fake Hub, no token, the network allowed, no proxy. */
export function useHub(hub: Pick<FakeHub, 'url'>): string {
  const home = temporaryDirectory();
  for (const [name, value] of Object.entries({
    ...{ HF_HOME: home, HF_HUB_CACHE: '', HF_ENDPOINT: hub.url, HF_HUB_OFFLINE: '' },
    ...{ HF_TOKEN: '', HF_TOKEN_PATH: '' },
  }))
    vi.stubEnv(name, value);
  for (const name of PROXIES)
    for (const either of [name, name.toUpperCase()]) vi.stubEnv(either, '');
  return join(home, 'hub');
}

/** The files of a miniature as the Hub would have them. */
export function miniatureFiles(options: MiniatureOptions = {}): Record<string, FakeFile> {
  const { directory } = writeMiniature(temporaryDirectory(), { layers: 2, ...options });
  return Object.fromEntries(
    readdirSync(directory).map((name) => [
      name,
      {
        content: readFileSync(join(directory, name)),
        lfs: name.endsWith('.safetensors'),
      },
    ]),
  );
}

/** Bytes that do not repeat. */
export function noise(length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state = Math.imul(state, 1664525) + 1013904223;
    words[i] = state;
  }
  return Buffer.from(words.buffer).subarray(0, length);
}
