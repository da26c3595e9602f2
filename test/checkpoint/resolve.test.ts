import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { resolveModel } from '../../src/checkpoint/resolve.js';
import { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { TINY_CONFIG, writeFolder } from './fixtures.js';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const demo = join(dirname(fileURLToPath(import.meta.url)), '../../models/demo');

/** A Hugging Face cache that holds org/name at one commit, under main and refs/pr/1. */
function fillCache(cache: string): string {
  const repository = join(cache, 'models--org--name');
  writeFolder(join(repository, 'refs/refs/pr'), { '1': COMMIT });
  writeFolder(join(repository, 'refs'), { main: `${COMMIT}\n`, evil: '../../other' });
  return writeFolder(join(repository, 'snapshots', COMMIT), { 'config.json': TINY_CONFIG });
}

function useCache(variables: Record<string, string>): void {
  for (const name of ['HF_HUB_CACHE', 'HF_HOME', 'XDG_CACHE_HOME'])
    vi.stubEnv(name, variables[name] ?? '');
}
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('resolveModel', () => {
  it('takes an existing folder, as absolute path, before a Hub id', async () => {
    const folder = temporaryDirectory();
    expect(await resolveModel(folder)).toBe(folder);
    expect(await resolveModel(relative(process.cwd(), folder))).toBe(folder);
    expect(await resolveModel('src/checkpoint')).toBe(join(process.cwd(), 'src/checkpoint'));
  });

  it.skipIf(!existsSync(demo))('finds the demo model of the package', async () => {
    expect(await resolveModel('demo')).toBe(demo);
  });
  it.skipIf(existsSync(demo))('says where the demo model should be', async () => {
    await expect(resolveModel('demo')).rejects.toThrow(`missing at ${demo}`);
  });

  it('looks into the Hugging Face cache where its variables say', async () => {
    const home = temporaryDirectory();
    const snapshot = fillCache(join(home, 'hub'));
    for (const variables of [
      { HF_HUB_CACHE: join(home, 'hub') },
      { HF_HOME: home },
      { HF_HUB_CACHE: join(home, 'hub'), HF_HOME: '/nowhere' },
    ]) {
      useCache(variables);
      expect(await resolveModel('org/name')).toBe(snapshot);
    }
    const cacheHome = temporaryDirectory();
    useCache({ XDG_CACHE_HOME: cacheHome });
    expect(await resolveModel('org/name').catch(String)).toContain(
      join(cacheHome, 'huggingface/hub/models--org--name'),
    );
  });

  it('resolves revisions: a branch, a commit, a pull request', async () => {
    const cache = temporaryDirectory();
    const snapshot = fillCache(cache);
    useCache({ HF_HUB_CACHE: cache });
    for (const revision of ['main', COMMIT, 'refs/pr/1'])
      expect(await resolveModel(`org/name@${revision}`)).toBe(snapshot);
    await expect(resolveModel('org/name@v2')).rejects.toThrow(
      /looked for revision v2 in .*models--org--name/,
    );
    await expect(resolveModel('org/other')).rejects.toThrow(/give its folder/);
  });

  it('follows no reference out of the cache', async () => {
    const cache = temporaryDirectory();
    fillCache(cache);
    writeFolder(join(cache, 'other'), { 'config.json': TINY_CONFIG });
    useCache({ HF_HUB_CACHE: cache });
    await expect(resolveModel('org/name@evil')).rejects.toThrow(InputError);
  });

  it.each([
    '',
    'x/../y',
    '../org/name',
    'org/..',
    'a/b/c',
    'org/name@../main',
    'org/name@a/../b',
    'org--x/name',
    'org/na me',
    'org/name@',
    '~/m/x',
    'org/name\0',
    'nothing-here',
  ])('refuses %j', async (ref) => {
    useCache({ HF_HUB_CACHE: temporaryDirectory() });
    await expect(resolveModel(ref)).rejects.toThrow(
      /neither "demo", an existing folder or file, nor a Hub id/,
    );
  });

  it('refuses a file', async () => {
    const file = join(temporaryDirectory(), 'model.bin');
    writeFileSync(file, '');
    await expect(resolveModel(file)).rejects.toThrow(
      /is a file of no known format; give a folder with config\.json .* or a \.gguf file/,
    );
  });

  it('takes a GGUF file, and the one of a folder that has no config.json', async () => {
    const folder = temporaryDirectory();
    const file = join(folder, 'model.gguf');
    writeFileSync(file, '');
    expect(await resolveModel(file)).toBe(file);
    expect(await resolveModel(folder)).toBe(file);
    writeFileSync(join(folder, 'other.GGUF'), '');
    await expect(resolveModel(folder)).rejects.toThrow(/has 2 GGUF files; name one of them/);
    writeFileSync(join(folder, 'config.json'), '{}');
    expect(await resolveModel(folder)).toBe(folder);
  });
});
